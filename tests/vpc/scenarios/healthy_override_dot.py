"""A pinned host with the dot of a full name at its end."""

import json

from tests.vpc.scenario import Agent, healthy

CONFIG = {"Ssm": {"Endpoint": "ssm.us-east-1.amazonaws.com."}}
SCENARIO = healthy(agent=Agent(config=json.dumps(CONFIG), connected=True))
