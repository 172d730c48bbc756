"""The instance has no default route, and the services' addresses are public."""

from tests.vpc.scenario import BOTH, PUBLIC_SSM, PUBLIC_SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", PUBLIC_SSM), Endpoint("ssmmessages", PUBLIC_SSMMESSAGES)),
    default_route=False,
    expect=Expect("no-route", "fail", 2, BOTH),
)
