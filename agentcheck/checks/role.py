"""Has the instance a role with working credentials?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.clock import by_imds, utc
from agentcheck.model import ERROR, FAIL, OK
from agentcheck.observations import Facts

ID = "role"
REQUIRES = ("imds",)
PROFILES = ("instance",)

_MISSING = {
    "no-profile": "no instance profile",
    "no-role": "an instance profile without a role",
}


def check(facts: Facts) -> Finding:
    """The credentials document says Success and is not past its end."""
    role, agent = facts.role(), facts.agent()
    now = by_imds(facts.now(), facts.imds().clock_offset_s)
    if role.state in _MISSING:
        if agent.host_management_active(now):
            return Finding(OK, "Default Host Management gives the agent its role", "dhmc")
        if agent.identity.unreadable:
            summary = f"{_MISSING[role.state]}; Default Host Management cannot be ruled out"
            return Finding(ERROR, f"{summary} without CAP_DAC_READ_SEARCH", reason="no-rights")
        return Finding(FAIL, _MISSING[role.state], reason=role.state)
    if role.state == "unreadable":
        return Finding(ERROR, f"credentials cannot be read: {role.error}", reason="unreadable")
    if role.state == "no-document":
        summary = "listed, but IMDS has no credentials for it"
        return Finding(FAIL, summary, reason="no-document", target=role.name)
    if role.state == "refused":
        return Finding(FAIL, f"IMDS says {role.code}", reason=role.code, target=role.name)
    if role.expiration is not None and role.expiration < now:
        summary = f"credentials ended {utc(role.expiration)}"
        return Finding(FAIL, summary, reason="expired", target=role.name)
    seen = {"expiration": role.expiration}
    until = f" until {utc(role.expiration)}" if role.expiration else ""
    return Finding(OK, f"{role.name}, credentials{until}", None, role.name, seen)
