"""One of ssm's addresses shows a certificate for another name."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, tls_at={SSM[0]: "wrong-name"}),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    expect=Expect("endpoint-partly-blocked", "warn", 1, ("ssm",), reason="tls"),
)
