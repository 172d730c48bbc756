"""A new agent needs no ec2messages; without a channel yet, all is well."""

from tests.vpc.scenario import Agent, healthy

SCENARIO = healthy(
    agent=Agent(connected=False),
)
