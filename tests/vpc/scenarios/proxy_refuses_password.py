"""The agent's proxy wants another password."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://agent:secret-wrong@10.0.0.99:3128"}),
    proxies=(Proxy(mode="ok", user="agent", password="secret-right"),),
    rules=(Rule(),),
    expect=Expect("proxy-refuses", "fail", 2, BOTH, reason="authentication"),
)
