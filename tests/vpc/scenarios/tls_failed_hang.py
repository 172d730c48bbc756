"""What answers on port 443 never says a word."""

from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM, "hang"), Endpoint("ssmmessages", SSMMESSAGES, "hang")),
    expect=Expect("tls-failed", "fail", 2, BOTH, reason="hangs"),
)
