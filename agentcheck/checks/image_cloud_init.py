"""Will cloud-init run on its instances?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import NOT_NEEDED, OK, SKIP, WARN
from agentcheck.observations import Facts

ID = "image.cloud-init"
REQUIRES = ()
PROFILES = ("image",)


def check(facts: Facts) -> Finding:
    """User data, and with it the way back into a locked-out instance, needs it."""
    state = facts.image().cloud_init
    if state == "enabled":
        return Finding(OK, "it is enabled")
    if state == "absent":
        return Finding(SKIP, "it is not installed", reason=NOT_NEEDED)
    return Finding(WARN, f"it is {state}", state)
