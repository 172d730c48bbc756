"""The instance's clock is two minutes slow, which signatures still stand."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Imds, healthy

SLOW = 120

SCENARIO = healthy(
    imds=Imds(date_offset=SLOW),
    endpoints=(
        Endpoint("ssm", SSM, date_offset=SLOW),
        Endpoint("ssmmessages", SSMMESSAGES, date_offset=SLOW),
    ),
    expect=Expect("clock-skew", "warn", 1),
)
