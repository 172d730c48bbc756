"""The instance's clock is 20 minutes slow."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Imds, healthy

SLOW = 1200

SCENARIO = healthy(
    imds=Imds(date_offset=SLOW),
    endpoints=(
        Endpoint("ssm", SSM, date_offset=SLOW),
        Endpoint("ssmmessages", SSMMESSAGES, date_offset=SLOW),
    ),
    expect=Expect("clock-skew", "fail", 2),
)
