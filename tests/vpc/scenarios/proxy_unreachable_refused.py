"""Nobody listens at the port of the agent's proxy."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="refuse"),),
    rules=(Rule(),),
    expect=Expect("proxy-unreachable", "fail", 2, BOTH, reason="refused"),
)
