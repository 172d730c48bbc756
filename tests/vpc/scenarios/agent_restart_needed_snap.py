"""The agent's snap was refreshed, and the old revision still runs."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(installed="snap", running_version="3.3.987.0"),
    expect=Expect("agent-restart-needed", "warn", 1),
)
