"""The agent's configuration names the FIPS endpoints, as a URL and as a host."""

import json

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, healthy

CONFIG = {
    "Ssm": {"Endpoint": "https://ssm-fips.us-east-1.amazonaws.com/"},
    "Mgs": {"Endpoint": "ssmmessages-fips.us-east-1.amazonaws.com"},
}
SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, host="ssm-fips.us-east-1.amazonaws.com"),
        Endpoint("ssmmessages", SSMMESSAGES, host="ssmmessages-fips.us-east-1.amazonaws.com"),
    ),
    agent=Agent(config=json.dumps(CONFIG), connected=True),
)
