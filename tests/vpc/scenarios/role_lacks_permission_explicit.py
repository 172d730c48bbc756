"""A policy of the role denies Systems Manager explicitly."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" with an explicit deny in an identity-based policy")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("role-lacks-permission", "fail", 2, reason="explicit-deny"),
)
