"""The agent's configuration names the dual-stack endpoints."""

import json

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, healthy

CONFIG = {
    "Ssm": {"Endpoint": "ssm.us-east-1.api.aws"},
    "Mgs": {"Endpoint": "ssmmessages.us-east-1.api.aws"},
}
SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, host="ssm.us-east-1.api.aws"),
        Endpoint("ssmmessages", SSMMESSAGES, host="ssmmessages.us-east-1.api.aws"),
    ),
    agent=Agent(config=json.dumps(CONFIG), connected=True),
)
