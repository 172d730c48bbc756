"""There is no endpoint for ssm, and that of ssmmessages is closed."""

from tests.vpc.scenario import PUBLIC_SSM, SSMMESSAGES, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", PUBLIC_SSM), Endpoint("ssmmessages", SSMMESSAGES)),
    rules=(Rule(),),
    expect=Expect(
        "endpoint-missing",
        "fail",
        2,
        ("ssm",),
        causes=("endpoint-missing", "endpoint-blocked"),
    ),
)
