"""The clock is ten days ahead, which alone makes the certificates look expired."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Imds, healthy

OFFSET = -10 * 86400.0
SCENARIO = healthy(
    imds=Imds(date_offset=OFFSET),
    endpoints=(
        Endpoint("ssm", SSM, "expired", date_offset=OFFSET),
        Endpoint("ssmmessages", SSMMESSAGES, "expired", date_offset=OFFSET),
    ),
    expect=Expect("clock-skew", "fail", 2, reason="ahead"),
)
