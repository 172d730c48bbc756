"""ssm is pinned to the endpoint of another service."""

import json

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, healthy

CONFIG = {"Ssm": {"Endpoint": "kms.us-east-1.amazonaws.com"}}
SCENARIO = healthy(
    agent=Agent(config=json.dumps(CONFIG), connected=False),
    endpoints=(
        Endpoint("ssm", SSM),
        Endpoint("ssmmessages", SSMMESSAGES),
        Endpoint("kms", ("10.0.1.20",)),
    ),
    expect=Expect("agent-misconfigured", "fail", 2, reason="endpoint"),
)
