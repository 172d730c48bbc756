"""ssm is pinned to another Region, and ssmmessages is closed."""

import json

from tests.vpc.scenario import SSMMESSAGES, Agent, Expect, Rule, healthy

CONFIG = {"Ssm": {"Endpoint": "ssm.eu-west-1.amazonaws.com"}}
SCENARIO = healthy(
    agent=Agent(config=json.dumps(CONFIG)),
    rules=(Rule(SSMMESSAGES),),
    expect=Expect(
        "agent-misconfigured",
        "fail",
        2,
        (),
        causes=("agent-misconfigured", "endpoint-blocked"),
    ),
)
