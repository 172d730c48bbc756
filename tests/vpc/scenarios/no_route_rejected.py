"""A firewall on the way answers that the endpoints' hosts cannot be reached."""

from tests.vpc.scenario import BOTH, Expect, Rule, healthy

SCENARIO = healthy(
    rules=(Rule(action="host-unreachable"),),
    expect=Expect("no-route", "fail", 2, BOTH, reason="no-route"),
)
