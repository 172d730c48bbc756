"""The groups were closed after the agent connected, and it has lost its channel."""

from tests.vpc.scenario import BOTH, Agent, Expect, Rule, healthy

SCENARIO = healthy(
    agent=Agent(connected=False),
    closed_later=(Rule(),),
    expect=Expect("endpoint-blocked", "fail", 2, BOTH),
)
