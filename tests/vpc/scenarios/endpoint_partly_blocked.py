"""One of the two addresses of ssm does not answer."""

from tests.vpc.scenario import SSM, Expect, Rule, healthy

SCENARIO = healthy(
    rules=(Rule(SSM[:1]),),
    expect=Expect("endpoint-partly-blocked", "warn", 1, ("ssm",)),
)
