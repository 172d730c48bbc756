"""This clock is seven hours ahead: credentials only look as if they had ended."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(date_offset=-7 * 3600),
    endpoints=(
        Endpoint("ssm", SSM, date_offset=-7 * 3600),
        Endpoint("ssmmessages", SSMMESSAGES, date_offset=-7 * 3600),
    ),
    expect=Expect("clock-skew", "fail", 2),
)
