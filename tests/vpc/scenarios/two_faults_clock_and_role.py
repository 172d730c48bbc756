"""The clock is an hour off, and there is no role."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(profile=False, date_offset=3600),
    endpoints=(
        Endpoint("ssm", SSM, date_offset=3600),
        Endpoint("ssmmessages", SSMMESSAGES, date_offset=3600),
    ),
    expect=Expect(
        "clock-skew",
        "fail",
        2,
        (),
        causes=("clock-skew", "role-missing"),
    ),
)
