"""Has the instance a role with working credentials?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.clock import by_imds, utc
from agentcheck.model import ERROR, FAIL, OK
from agentcheck.observations import Facts

ID = "role"
REQUIRES = ("imds",)
PROFILES = ("instance",)

# In each of these the agent turns to Default Host Management.
_LACKING = {
    "no-profile": "no instance profile",
    "no-role": "an instance profile without a role",
    "no-document": "listed, but IMDS has no credentials for it",
    "refused": "IMDS says {role.code}",
}


def check(facts: Facts) -> Finding:
    """The credentials document says Success and is not past its end."""
    role, agent = facts.role(), facts.agent()
    now = by_imds(facts.now(), facts.imds().clock_offset_s)
    lacking = _LACKING.get(role.state)
    if lacking:
        lacking = lacking.format(role=role)
        if agent.host_management_active(now, facts.imds().instance.instance_id):
            return Finding(OK, "Default Host Management gives the agent its role", "dhmc")
        if agent.identity.unreadable:
            summary = f"{lacking}; Default Host Management cannot be ruled out"
            return Finding(ERROR, f"{summary} without CAP_DAC_READ_SEARCH", reason="no-rights")
        return Finding(FAIL, lacking, role.code or role.state, role.name or None)
    if role.state == "unreadable":
        return Finding(ERROR, f"credentials cannot be read: {role.error}", reason="unreadable")
    seen = {"expiration": role.expiration}
    if role.expiration is not None and role.expiration < now:
        summary = f"credentials ended {utc(role.expiration)}"
        return Finding(FAIL, summary, "expired", role.name, seen)
    until = f" until {utc(role.expiration)}" if role.expiration else ""
    return Finding(OK, f"{role.name}, credentials{until}", None, role.name, seen)
