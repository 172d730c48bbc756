"""The agent is older than 3.3.40.0, and still has the ec2messages endpoint it needs."""

from tests.vpc.scenario import EC2MESSAGES, SSM, SSMMESSAGES, Agent, Endpoint, Expect, healthy

SCENARIO = healthy(
    agent=Agent(version="3.2.2303.0", package_version="3.2.2303.0-1"),
    endpoints=(
        Endpoint("ssm", SSM),
        Endpoint("ssmmessages", SSMMESSAGES),
        Endpoint("ec2messages", EC2MESSAGES),
    ),
    expect=Expect("agent-outdated", "warn", 1),
)
