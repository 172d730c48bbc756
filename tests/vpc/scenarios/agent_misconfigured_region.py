"""The agent's configuration pins another Region."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(config='{"Agent": {"Region": "eu-west-1"}}'),
    expect=Expect("agent-misconfigured", "fail", 2),
)
