"""The connection is reset as soon as the TLS handshake begins."""

from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM, "cut"), Endpoint("ssmmessages", SSMMESSAGES, "cut")),
    expect=Expect("tls-failed", "fail", 2, BOTH, reason="cut"),
)
