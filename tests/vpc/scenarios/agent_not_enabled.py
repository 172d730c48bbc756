"""The agent runs, but is not enabled for the next boot."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(unit={"UnitFileState": "disabled"}),
    expect=Expect("agent-not-enabled", "warn", 1, reason="disabled"),
)
