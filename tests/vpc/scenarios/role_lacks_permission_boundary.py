"""The role's permissions boundary does not let Systems Manager through."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" because no permissions boundary allows the action")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("role-lacks-permission", "fail", 2, reason="permissions-boundary"),
)
