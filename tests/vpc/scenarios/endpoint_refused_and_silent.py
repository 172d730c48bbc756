"""One address of ssm refuses and the other is silent."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, tls_at={SSM[0]: "refuse"}),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    rules=(Rule((SSM[1],)),),
    expect=Expect("endpoint-refused", "fail", 2, ("ssm",)),
)
