"""Will something set the clock?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import OK, WARN
from agentcheck.observations import Facts

ID = "image.clock"
REQUIRES = ()
PROFILES = ("image",)


def check(facts: Facts) -> Finding:
    """AWS refuses signatures that are more than 5 minutes off."""
    clock = facts.image().clock
    if clock:
        return Finding(OK, f"{clock[0]} is enabled")
    return Finding(WARN, "no chronyd, systemd-timesyncd or ntpd is enabled", "no-service")
