"""The hosts file pins ssm to a dead address, and ssmmessages is closed."""

from tests.vpc.scenario import SSMMESSAGES, Agent, Expect, Rule, healthy, host

SCENARIO = healthy(
    hosts=f"10.0.9.9 {host('ssm')}\n",
    agent=Agent(connected=False),
    rules=(Rule(SSMMESSAGES),),
    expect=Expect(
        "hosts-override",
        "fail",
        2,
        ("ssm",),
        causes=("hosts-override", "endpoint-blocked"),
    ),
)
