"""The endpoints' security groups do not let port 443 in."""

from tests.vpc.scenario import BOTH, Expect, Rule, healthy

SCENARIO = healthy(
    rules=(Rule(),),
    expect=Expect("endpoint-blocked", "fail", 2, BOTH),
)
