"""Can it be seen by which proxy and certificates the agent goes?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, OK
from agentcheck.observations import Facts

ID = "agent.environment"
REQUIRES = ("agent.running",)
PROFILES = ("instance",)


def check(facts: Facts) -> Finding:
    """Its process's environment decides; without it a failure may be the way we go, not the
    agent's."""
    agent = facts.agent()
    if agent.environment_hidden:
        summary = "the agent's environment (proxy, CA file) is not readable without CAP_SYS_PTRACE"
        return Finding(ERROR, summary, reason="no-rights")
    names = sorted(agent.environment)
    return Finding(
        OK, f"sets {', '.join(names)}" if names else "no proxy and no CA file of its own"
    )
