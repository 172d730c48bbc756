"""The agent's proxy does not let it through to the endpoints."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="deny"),),
    rules=(Rule(),),
    expect=Expect("proxy-refuses", "fail", 2, BOTH, reason="forbidden"),
)
