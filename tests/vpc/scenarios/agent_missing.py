"""The agent was never installed."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent("none"),
    expect=Expect("agent-missing", "fail", 2),
)
