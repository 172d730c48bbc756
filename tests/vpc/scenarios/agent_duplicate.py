"""The agent is installed as a snap and as a package."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(installed="both"),
    expect=Expect("agent-duplicate", "warn", 1),
)
