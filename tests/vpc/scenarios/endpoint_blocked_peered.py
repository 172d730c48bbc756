"""The endpoints are in another VPC, and nothing comes back from there."""

from tests.vpc.scenario import BOTH, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", ("10.9.1.10",)), Endpoint("ssmmessages", ("10.9.1.11",))),
    rules=(Rule(),),
    expect=Expect("endpoint-blocked", "fail", 2, BOTH),
)
