"""All is well, and the agent was installed as a snap."""

from tests.vpc.scenario import Agent, healthy

SCENARIO = healthy(agent=Agent("snap", package_version=None))
