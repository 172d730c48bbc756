"""No name for ssmmessages, and port 443 of ssm is closed."""

from tests.vpc.scenario import SSM, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM),),
    rules=(Rule(SSM),),
    expect=Expect(
        "dns-not-found",
        "fail",
        2,
        ("ssmmessages",),
        causes=("dns-not-found", "endpoint-blocked"),
    ),
)
