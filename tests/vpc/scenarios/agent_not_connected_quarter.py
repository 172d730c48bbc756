"""All works and the log is quiet, yet there is no channel after a quarter of an hour."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(connected=False, age=900),
    expect=Expect("agent-not-connected", "warn", 1, ("ssmmessages",)),
)
