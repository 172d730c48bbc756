"""The security group of the ssmmessages endpoint does not let port 443 in."""

from tests.vpc.scenario import SSMMESSAGES, Expect, Rule, healthy

SCENARIO = healthy(
    rules=(Rule(SSMMESSAGES),),
    expect=Expect("endpoint-blocked", "fail", 2, ("ssmmessages",)),
)
