"""An old agent without ec2messages has its channel: only Run Command fails."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(version="3.2.2303.0", package_version="3.2.2303.0-1", connected=True),
    expect=Expect("agent-needs-ec2messages", "warn", 1, ("ec2messages",)),
)
