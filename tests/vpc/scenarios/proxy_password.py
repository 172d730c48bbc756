"""The agent's proxy has a password with odd characters, and nothing is reachable directly."""

from tests.vpc.scenario import BOTH, Agent, Expect, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"HTTPS_PROXY": "http://user:secret/[secret@10.0.0.99:3128"}),
    rules=(Rule(),),
    expect=Expect("could-not-tell", "unknown", 3, BOTH, reason="proxy"),
)
