"""Will agentcheck itself start at boot?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import OK, WARN
from agentcheck.observations import Facts

ID = "image.agentcheck"
REQUIRES = ()
PROFILES = ("image",)


def check(facts: Facts) -> Finding:
    """Its daemon or its boot run is enabled."""
    state = facts.image().agentcheck_enabled
    if state == "enabled":
        return Finding(OK, "agentcheck.service or agentcheck-boot.service is enabled")
    return Finding(WARN, f"neither of its units is enabled ({state})", state)
