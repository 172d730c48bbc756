"""Does the agent's configuration let it start and reach this Region?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.misconfiguration import problems
from agentcheck.model import ERROR, FAIL, OK
from agentcheck.observations import Facts

ID = "agent.config"
REQUIRES = ("agent.installed",)
PROFILES = ("instance", "image")


def check(facts: Facts) -> Finding:
    """The JSON parses, and no pinned Region or host belongs to another Region."""
    config = facts.agent().config
    if not config.path:
        return Finding(OK, "the agent's defaults are in force (no amazon-ssm-agent.json)")
    if config.unreadable:
        summary = f"cannot be read: {config.error}"
        return Finding(ERROR, summary, reason="unreadable", target=config.path)
    instance = facts.imds().instance
    found = problems(config, instance.region, instance.domain)
    if found:
        return Finding(FAIL, found[0].text, reason=found[0].reason, target=config.path)
    pinned = ", ".join(f"{s} {host}" for s, host in config.endpoints.items())
    return Finding(OK, f"pins {pinned}" if pinned else "pins no endpoint", target=config.path)
