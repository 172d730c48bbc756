"""The agent's configuration pins an endpoint that is no host at all."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(config='{"Ssm": {"Endpoint": "[bad"}}'),
    expect=Expect("agent-misconfigured", "fail", 2, reason="endpoint"),
)
