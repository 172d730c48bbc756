"""The name of the agent's proxy does not resolve."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://proxy.corp.example:3128"}),
    proxies=(Proxy(mode="ok"),),
    rules=(Rule(),),
    expect=Expect("proxy-unreachable", "fail", 2, BOTH, reason="unresolved"),
)
