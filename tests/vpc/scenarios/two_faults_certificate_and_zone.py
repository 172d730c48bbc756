"""ssm shows another certificate; one zone of ssmmessages is closed: fail, then warn."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, "wrong-name"),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    rules=(Rule(SSMMESSAGES[1:]),),
    expect=Expect(
        "tls-wrong-certificate",
        "fail",
        2,
        ("ssm",),
        causes=("tls-wrong-certificate", "endpoint-partly-blocked"),
    ),
)
