"""A proxy is configured, and no_proxy names what the agent reaches directly."""

from tests.vpc.scenario import Agent, healthy

SCENARIO = healthy(
    agent=Agent(
        environment={
            "https_proxy": "http://user:secret@10.0.0.99:3128",
            "no_proxy": "169.254.169.254,.amazonaws.com",
        }
    )
)
