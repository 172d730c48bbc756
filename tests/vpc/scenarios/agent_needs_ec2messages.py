"""The agent is older than 3.3.40.0, and there is no ec2messages endpoint."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(version="3.2.2303.0", package_version="3.2.2303.0-1", connected=False),
    expect=Expect("agent-needs-ec2messages", "fail", 2, ("ec2messages",)),
)
