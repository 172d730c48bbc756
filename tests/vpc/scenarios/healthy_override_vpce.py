"""The agent's configuration names the endpoints' own DNS names."""

import json

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, healthy

CONFIG = {
    "Ssm": {"Endpoint": "vpce-0123456789abcdef0-abcdefgh.ssm.us-east-1.vpce.amazonaws.com"},
    "Mgs": {"Endpoint": "vpce-0fedcba9876543210-hgfedcba.ssmmessages.us-east-1.vpce.amazonaws.com"},
}
SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, host=CONFIG["Ssm"]["Endpoint"]),
        Endpoint("ssmmessages", SSMMESSAGES, host=CONFIG["Mgs"]["Endpoint"]),
    ),
    agent=Agent(config=json.dumps(CONFIG), connected=True),
)
