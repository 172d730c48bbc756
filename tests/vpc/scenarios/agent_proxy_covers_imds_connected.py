"""A proxy covers IMDS, and the agent is connected all the same."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(
        environment={"http_proxy": "http://10.0.0.99:3128", "no_proxy": ".amazonaws.com"},
        connected=True,
    ),
    expect=Expect("agent-proxy-covers-imds", "warn", 1),
)
