"""DNS names an address in the instance's own subnet that nobody has."""

from tests.vpc.scenario import SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", ("10.0.0.77",), exists=False), Endpoint("ssmmessages", SSMMESSAGES)),
    expect=Expect("no-route", "fail", 2, ("ssm",)),
)
