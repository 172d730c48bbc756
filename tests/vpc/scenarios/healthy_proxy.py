"""Nothing is reachable directly; the agent's proxy, with a password, lets it through."""

from tests.vpc.scenario import Agent, Proxy, Rule, healthy

SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": "http://agent:secret%2Fright@10.0.0.99:3128"}),
    proxies=(Proxy(mode="ok", user="agent", password="secret/right"),),
    rules=(Rule(),),
)
