"""systemd runs, and the agent's unit is enabled."""

from tests.vpc.scenario import Agent, healthy

SCENARIO = healthy(agent=Agent(unit={}, age=86400))
