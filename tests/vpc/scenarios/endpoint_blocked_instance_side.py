"""A firewall on the instance does not let port 443 out."""

from tests.vpc.scenario import BOTH, Expect, Rule, healthy

SCENARIO = healthy(
    rules=(Rule(place="instance"),),
    expect=Expect("endpoint-blocked", "fail", 2, BOTH),
)
