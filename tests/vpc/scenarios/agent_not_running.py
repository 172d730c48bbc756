"""The agent is installed, and does not run."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(running=False),
    expect=Expect("agent-not-running", "fail", 2),
)
