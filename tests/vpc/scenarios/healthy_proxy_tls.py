"""The agent's proxy is itself spoken to over TLS."""

from tests.vpc.scenario import Agent, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"HTTPS_PROXY": "https://proxy.ec2.internal:3128"}),
    proxies=(Proxy(mode="ok", tls=True),),
    rules=(Rule(),),
)
