"""The agent's proxy opens TLS and shows certificates of its own."""

from tests.vpc.scenario import BOTH, Agent, Expect, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="intercept"),),
    rules=(Rule(),),
    expect=Expect("tls-intercepted", "fail", 2, BOTH),
)
