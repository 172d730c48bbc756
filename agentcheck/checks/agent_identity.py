"""Does the agent act as this instance?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import FAIL, OK, SKIP
from agentcheck.observations import Facts

ID = "agent.identity"
REQUIRES = ("agent.installed",)
PROFILES = ("instance", "image")


def check(facts: Facts) -> Finding:
    """A hybrid registration (mi-...) makes an EC2 instance somebody else."""
    identity = facts.agent().identity
    seen = {"registered_id": identity.registered_id, "former_ids": list(identity.former_ids)}
    if facts.agent().is_hybrid:
        who = identity.registered_id or identity.instance_id
        return Finding(FAIL, f"registered as the hybrid node {who}", "hybrid", facts=seen)
    if identity.unreadable:
        summary = "its state cannot be read, which takes CAP_DAC_READ_SEARCH and a regular file"
        return Finding(SKIP, summary, "no-rights", facts=seen)
    return Finding(OK, "no hybrid registration", facts=seen)
