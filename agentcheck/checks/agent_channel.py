"""Does the agent hold a live channel to ssmmessages?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, OK, SKIP
from agentcheck.observations import Facts

ID = "agent.channel"
REQUIRES = ("agent.running",)
PROFILES = ("instance",)


def check(facts: Facts) -> Finding:
    """Established, nothing unacknowledged; else by the agent's log. None is no fault by itself."""
    channel = facts.channel()
    seen = {"connected": channel.connected, "by": channel.by or None}
    if channel.connected is None and not facts.agent().version_known:
        summary = "not visible without CAP_SYS_PTRACE, and it decides whether ec2messages is needed"
        return Finding(ERROR, summary, reason="no-rights", facts=seen)
    if channel.connected is None:
        summary = "the agent's sockets cannot be seen by this user"
        return Finding(SKIP, summary, reason="no-rights", facts=seen)
    if channel.connected:
        text = "connected" if channel.by == "socket" else "connected, by the agent's log"
        return Finding(OK, text, facts=seen)
    return Finding(SKIP, "no live channel seen", reason="no-channel", facts=seen)
