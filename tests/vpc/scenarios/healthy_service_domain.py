"""Agent.ServiceDomain makes the names of all endpoints."""

import json

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, healthy

CONFIG = {"Agent": {"ServiceDomain": "corp.example"}}
SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, host="ssm.us-east-1.corp.example"),
        Endpoint("ssmmessages", SSMMESSAGES, host="ssmmessages.us-east-1.corp.example"),
    ),
    agent=Agent(config=json.dumps(CONFIG), connected=True),
)
