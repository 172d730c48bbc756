"""The role lacks permissions, and there is no name for ssmmessages."""

from tests.vpc.scenario import SSM, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" because no identity-based policy allows the action")),
    ),
    expect=Expect(
        "dns-not-found",
        "fail",
        2,
        ("ssmmessages",),
        causes=("dns-not-found", "role-lacks-permission"),
    ),
)
