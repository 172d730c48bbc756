"""https_proxy without IMDS in no_proxy: IMDS is plain http, so it does not matter."""

from tests.vpc.scenario import Agent, Proxy, healthy

SCENARIO = healthy(
    agent=Agent(
        environment={"https_proxy": "http://10.0.0.99:3128", "no_proxy": ".amazonaws.com"},
    ),
    proxies=(Proxy(),),
)
