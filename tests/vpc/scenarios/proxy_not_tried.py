"""The agent goes through a SOCKS proxy, which is not tried: no verdict."""

from tests.vpc.scenario import BOTH, Agent, Expect, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "socks5://10.0.0.99:1080"}, connected=False),
    rules=(Rule(),),
    expect=Expect("could-not-tell", "unknown", 3, BOTH, reason="proxy"),
)
