"""A firewall on the way refuses port 443."""

from tests.vpc.scenario import BOTH, Expect, Rule, healthy

SCENARIO = healthy(
    rules=(Rule(action="tcp-reset"),),
    expect=Expect("endpoint-refused", "fail", 2, BOTH),
)
