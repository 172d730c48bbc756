"""An old agent without ec2messages, which is not enabled either."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(
        version="3.2.2303.0",
        package_version="3.2.2303.0-1",
        connected=False,
        unit={"UnitFileState": "disabled"},
    ),
    expect=Expect(
        "agent-needs-ec2messages",
        "fail",
        2,
        ("ec2messages",),
        causes=("agent-needs-ec2messages", "agent-not-enabled"),
    ),
)
