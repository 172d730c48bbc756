"""http_proxy beside a no_proxy that covers the metadata service."""

from tests.vpc.scenario import Agent, Proxy, healthy

SCENARIO = healthy(
    agent=Agent(
        environment={
            "http_proxy": "http://10.0.0.99:3128",
            "no_proxy": ".amazonaws.com,169.254.169.254",
        },
        connected=False,
    ),
    proxies=(Proxy(),),
)
