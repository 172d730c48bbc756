"""The agent's configuration names an alias and a port of its own."""

import json

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, healthy

CONFIG = {
    "Ssm": {"Endpoint": "ssm.corp.example:8443"},
    "Agent": {"Region": "us-east-1"},
}
SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, host="ssm.corp.example", port=8443),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(config=json.dumps(CONFIG), connected=True),
)
