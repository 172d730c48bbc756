"""An old agent whose three endpoints fail in three ways."""

from tests.vpc.scenario import PUBLIC_SSMMESSAGES, SSM, Agent, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    agent=Agent(version="3.2.2303.0", package_version="3.2.2303.0-1"),
    endpoints=(
        Endpoint("ssm", SSM, "hang"),
        Endpoint("ssmmessages", PUBLIC_SSMMESSAGES),
    ),
    rules=(Rule(PUBLIC_SSMMESSAGES),),
    expect=Expect(
        "dns-not-found",
        "fail",
        2,
        ("ec2messages",),
        causes=("dns-not-found", "endpoint-missing", "tls-failed"),
    ),
)
