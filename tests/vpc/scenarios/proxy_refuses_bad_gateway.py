"""The agent's proxy cannot reach the endpoints itself."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="bad-gateway"),),
    rules=(Rule(),),
    expect=Expect("proxy-refuses", "fail", 2, BOTH, reason="cannot-reach"),
)
