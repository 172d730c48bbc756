"""The password in the agent's proxy setting has characters that break it."""

from tests.vpc.scenario import BOTH, Agent, Expect, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"HTTPS_PROXY": "http://user:secret/[secret@10.0.0.99:3128"}),
    rules=(Rule(),),
    expect=Expect("proxy-unreachable", "fail", 2, BOTH, reason="invalid"),
)
