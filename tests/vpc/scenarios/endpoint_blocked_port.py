"""ssm is pinned to a port of its own, which alone is closed: no control for its side."""

import json

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, Rule, healthy

CONFIG = {"Ssm": {"Endpoint": "ssm.corp.example:8443"}}
SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, host="ssm.corp.example", port=8443),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(config=json.dumps(CONFIG), connected=False),
    rules=(Rule(port=8443),),
    expect=Expect("endpoint-blocked", "fail", 2, ("ssm",), reason="either-side"),
)
