"""The agent's proxy accepts connections and never answers."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="hang"),),
    rules=(Rule(),),
    expect=Expect("proxy-unreachable", "fail", 2, BOTH, reason="hangs"),
)
