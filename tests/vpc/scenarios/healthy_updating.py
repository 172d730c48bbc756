"""The agent updates itself, and runs meanwhile."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(updating=True),
    expect=Expect(notes=("agent-updating",)),
)
