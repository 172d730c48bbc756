"""Agent.ServiceDomain is that of another partition."""

import json

from tests.vpc.scenario import Agent, Expect, healthy

CONFIG = {"Agent": {"ServiceDomain": "amazonaws.com.cn"}}
SCENARIO = healthy(
    agent=Agent(config=json.dumps(CONFIG), connected=False),
    expect=Expect("agent-misconfigured", "fail", 2, reason="domain"),
)
