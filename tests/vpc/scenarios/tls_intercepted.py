"""Something decrypts TLS on the way and shows certificates of its own authority."""

from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, "foreign-ca"),
        Endpoint("ssmmessages", SSMMESSAGES, "foreign-ca"),
    ),
    expect=Expect("tls-intercepted", "fail", 2, BOTH),
)
