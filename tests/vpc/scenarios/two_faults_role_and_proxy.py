"""There is no role, and the agent's proxy does not let it through."""

from tests.vpc.scenario import Agent, Expect, Imds, Proxy, healthy

SCENARIO = healthy(
    imds=Imds(profile=False),
    agent=Agent(environment={"https_proxy": "http://10.0.0.99:3128"}),
    proxies=(Proxy(mode="deny"),),
    expect=Expect(
        "role-missing",
        "fail",
        2,
        (),
        causes=("role-missing", "proxy-refuses"),
    ),
)
