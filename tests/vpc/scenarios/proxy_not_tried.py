"""The agent goes through a proxy and nothing is reachable directly: no blame for that."""

from tests.vpc.scenario import BOTH, Agent, Expect, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://user:secret@10.0.0.99:3128"}),
    rules=(Rule(),),
    expect=Expect("could-not-tell", "unknown", 3, BOTH, reason="proxy"),
)
