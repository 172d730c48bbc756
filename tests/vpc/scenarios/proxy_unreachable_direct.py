"""The agent's proxy is gone, though the direct way is open."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="refuse"),),
    expect=Expect("proxy-unreachable", "fail", 2, BOTH, reason="refused"),
)
