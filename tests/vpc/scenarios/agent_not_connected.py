"""All works and the agent's log is quiet, yet it has had no channel for an hour."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(connected=False, age=3600),
    expect=Expect("agent-not-connected", "warn", 1, ("ssmmessages",)),
)
