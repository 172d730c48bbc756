"""The agent asks a proxy for the metadata service, finds no identity, and ends."""

from tests.vpc.scenario import Agent, Expect, Proxy, healthy

SCENARIO = healthy(
    agent=Agent(
        environment={"http_proxy": "http://10.0.0.99:3128", "no_proxy": ".amazonaws.com"},
        connected=False,
    ),
    proxies=(Proxy(),),
    expect=Expect("agent-proxy-covers-imds", "fail", 2),
)
