"""The role may not list associations, while the agent is connected."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" because no identity-based policy allows the action")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=True),
    expect=Expect("role-lacks-permission", "warn", 1),
)
