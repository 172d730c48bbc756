"""What does the agent's own log say last?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.clock import utc
from agentcheck.model import OK, SKIP, WARN
from agentcheck.observations import Facts

ID = "agent.log"
REQUIRES = ("agent.installed",)
PROFILES = ("instance",)


def check(facts: Facts) -> Finding:
    """The last error that no success followed, and when the agent tries again."""
    log = facts.agent_log()
    if log.state != "read":
        return Finding(SKIP, f"cannot be read: {log.error or log.state}", log.state, log.path)
    seen = {
        "channel": log.channel or None,
        "failure": log.failure.kind if log.failure else None,
        "retry_at": log.retry_at,
        "hibernating": log.hibernating,
    }
    if log.failure is None:
        text = f"connected to {log.channel}" if log.connected and log.channel else "no open error"
        return Finding(OK, text, None, log.path, seen)
    text = f"{utc(log.failure.at)}: {log.failure.text}"
    if facts.channel().connected:
        return Finding(OK, f"connected since; {text}", None, log.path, seen)
    reason = "asleep" if log.retry_at else log.failure.kind
    return Finding(WARN, text, reason, log.path, seen)
