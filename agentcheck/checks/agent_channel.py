"""Does the agent hold a live channel to ssmmessages?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, OK, SKIP
from agentcheck.observations import Facts

ID = "agent.channel"
REQUIRES = ("agent.running",)
PROFILES = ("instance",)


def check(facts: Facts) -> Finding:
    """Established, nothing unacknowledged. That there is none is no fault by itself."""
    connected = facts.connected()
    if connected is None and not facts.agent().version_known:
        summary = "not visible without CAP_SYS_PTRACE, and it decides whether ec2messages is needed"
        return Finding(ERROR, summary, reason="no-rights", facts={"connected": None})
    if connected is None:
        summary = "the agent's sockets cannot be seen by this user"
        return Finding(SKIP, summary, reason="no-rights", facts={"connected": None})
    if connected:
        return Finding(OK, "connected", facts={"connected": True})
    return Finding(SKIP, "no live channel seen", reason="no-channel", facts={"connected": False})
