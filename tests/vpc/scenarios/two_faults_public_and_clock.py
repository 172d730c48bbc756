"""ssmmessages is reached over NAT, and the clock is two minutes off: warnings."""

from tests.vpc.scenario import PUBLIC_SSMMESSAGES, SSM, Endpoint, Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(date_offset=120),
    endpoints=(
        Endpoint("ssm", SSM, date_offset=120),
        Endpoint("ssmmessages", PUBLIC_SSMMESSAGES, date_offset=120),
    ),
    expect=Expect(
        "clock-skew",
        "warn",
        1,
        (),
        causes=("clock-skew", "endpoint-public"),
    ),
)
