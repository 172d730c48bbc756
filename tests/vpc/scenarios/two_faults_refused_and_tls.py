"""ssm refuses connections, and ssmmessages does not speak TLS."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, "refuse"),
        Endpoint("ssmmessages", SSMMESSAGES, "plain"),
    ),
    expect=Expect(
        "endpoint-refused",
        "fail",
        2,
        ("ssm",),
        causes=("endpoint-refused", "tls-failed"),
    ),
)
