"""The agent was reinstalled in the same version since it started."""

from tests.vpc.scenario import Agent, healthy

SCENARIO = healthy(agent=Agent(running_version="3.3.1611.0"))
