"""The agent's updater has stopped the agent for the moment: no verdict yet."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(updating=True, running=False),
    expect=Expect("could-not-tell", "unknown", 3, reason="agent-updating"),
)
