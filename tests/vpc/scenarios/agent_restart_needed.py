"""The agent was upgraded on disk, and the old one still runs."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(running_version="3.3.987.0"),
    expect=Expect("agent-restart-needed", "warn", 1),
)
