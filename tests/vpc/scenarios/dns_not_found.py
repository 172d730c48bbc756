"""The name of one service does not exist."""

from tests.vpc.scenario import SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssmmessages", SSMMESSAGES),),
    expect=Expect("dns-not-found", "fail", 2, ("ssm",)),
)
