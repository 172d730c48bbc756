"""The agent's log is empty."""

from tests.vpc.scenario import Agent, healthy

SCENARIO = healthy(agent=Agent(log="", age=7200))
