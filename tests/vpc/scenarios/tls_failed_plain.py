"""What answers on port 443 does not speak TLS."""

from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM, "plain"), Endpoint("ssmmessages", SSMMESSAGES, "plain")),
    expect=Expect("tls-failed", "fail", 2, BOTH),
)
