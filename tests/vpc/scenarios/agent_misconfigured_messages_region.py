"""The image's build left another Region for ssmmessages in the agent's configuration."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(config='{"Mgs": {"Region": "eu-west-1"}}'),
    expect=Expect("agent-misconfigured", "fail", 2, reason="region"),
)
