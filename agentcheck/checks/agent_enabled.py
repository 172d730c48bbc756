"""Will the agent start at the next boot?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import OK, SKIP, WARN
from agentcheck.observations import NOT_AT_BOOT, Facts

ID = "agent.enabled"
REQUIRES = ("agent.installed",)
PROFILES = ("instance", "image")


def check(facts: Facts) -> Finding:
    """The unit's state, where systemd runs."""
    if facts.policy.profile == "image":
        return _of_image(facts.image().agent_enabled or "absent")
    unit = facts.agent().unit
    if unit is None:
        return Finding(SKIP, "no systemd runs here", reason="no-systemd")
    if unit.load_state == "not-found":
        return Finding(SKIP, f"there is no {unit.name}", reason="no-unit")
    if unit.unit_file_state in NOT_AT_BOOT:
        return Finding(WARN, f"{unit.name} is {unit.unit_file_state}", unit.unit_file_state)
    return Finding(OK, f"{unit.name} is {unit.unit_file_state or 'there'}")


def _of_image(state: str) -> Finding:
    """By the unit files alone: an image may be looked at without a running systemd."""
    if state == "enabled":
        return Finding(OK, "its unit is enabled")
    return Finding(WARN, f"its unit is {state}", state)
