"""Systems Manager refuses the role without naming the policy."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial()),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("role-lacks-permission", "fail", 2, reason="denied"),
)
