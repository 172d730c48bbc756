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
        summary = "cannot be told (CAP_SYS_PTRACE?), and decides whether ec2messages is needed"
        return Finding(ERROR, summary, reason="not-known", facts=seen)
    if channel.connected is None:
        summary = "cannot be told: its sockets are hidden, or lead where DNS no longer does"
        return Finding(SKIP, summary, reason="not-known", facts=seen)
    if channel.connected:
        text = "connected" if channel.by == "socket" else "connected, by the agent's log"
        return Finding(OK, text, facts=seen)
    return Finding(SKIP, "no live channel seen", reason="no-channel", facts=seen)
