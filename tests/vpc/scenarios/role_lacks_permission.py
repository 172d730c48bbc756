"""The role has no policy for Systems Manager."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" because no identity-based policy allows the action")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("role-lacks-permission", "fail", 2, reason="identity-policy"),
)
