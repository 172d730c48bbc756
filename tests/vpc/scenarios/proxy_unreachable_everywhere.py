"""The name of the agent's proxy leads to four addresses, all of them silent."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    VPC_RESOLVER,
    Agent,
    Expect,
    Resolver,
    healthy,
)

PROXY = "proxy.corp.example"
DEAD = ("10.0.5.1", "10.0.5.2", "10.0.5.3", "10.0.5.4")
SCENARIO = healthy(
    agent=Agent(environment={"https_proxy": f"http://{PROXY}:3128"}, connected=False),
    dns=(Resolver(VPC_RESOLVER, records={PROXY: DEAD}), Resolver(LINK_LOCAL_RESOLVER)),
    expect=Expect("proxy-unreachable", "fail", 2, BOTH, reason="timeout"),
)
