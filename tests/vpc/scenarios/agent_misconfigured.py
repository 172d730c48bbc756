"""The agent's configuration is not JSON, at which it exits."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(running=False, config='{"Agent": {"Region": "us-east-1",}'),
    expect=Expect("agent-misconfigured", "fail", 2),
)
