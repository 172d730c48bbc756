"""An old agent's ec2messages is pinned to an address that nobody has."""

from tests.vpc.scenario import EC2MESSAGES, SSM, SSMMESSAGES, Agent, Endpoint, Expect, healthy, host

SCENARIO = healthy(
    agent=Agent(version="3.2.2303.0", package_version="3.2.2303.0-1", connected=False),
    endpoints=(
        Endpoint("ssm", SSM),
        Endpoint("ssmmessages", SSMMESSAGES),
        Endpoint("ec2messages", EC2MESSAGES),
    ),
    hosts=f"10.0.9.9 {host('ec2messages')}\n",
    expect=Expect("hosts-override", "fail", 2, ("ec2messages",)),
)
