"""Is the agent new enough to do without ec2messages?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import OK, WARN
from agentcheck.observations import NO_EC2MESSAGES, Facts

ID = "agent.version"
REQUIRES = ("agent.installed",)
PROFILES = ("instance", "image")


def check(facts: Facts) -> Finding:
    """3.3.40.0 is the first release that needs ssm and ssmmessages only."""
    agent = facts.agent()
    version = agent.acting_version
    if version is None:
        return Finding(WARN, "the version could not be read", reason="unreadable")
    if agent.version_is_placeholder:
        return Finding(WARN, f"{version} is a placeholder of a build", reason="placeholder")
    if version < NO_EC2MESSAGES:
        return Finding(WARN, f"{version} still needs ec2messages", reason="outdated")
    return Finding(OK, f"{version} needs ssm and ssmmessages only")
