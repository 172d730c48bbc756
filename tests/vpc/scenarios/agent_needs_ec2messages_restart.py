"""An agent that needs ec2messages runs, though a newer one is installed."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(running_version="3.2.2303.0", connected=False),
    expect=Expect(
        "agent-needs-ec2messages",
        "fail",
        2,
        ("ec2messages",),
        causes=("agent-needs-ec2messages", "agent-restart-needed"),
    ),
)
