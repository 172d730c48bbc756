"""What answers at the agent's proxy is no HTTP proxy."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="garbage"),),
    rules=(Rule(),),
    expect=Expect("proxy-unreachable", "fail", 2, BOTH, reason="not-proxy"),
)
