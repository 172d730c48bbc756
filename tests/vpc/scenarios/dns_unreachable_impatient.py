"""The resolver answers, but later than resolv.conf lets the system wait."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    VPC_RESOLVER,
    Agent,
    Expect,
    Resolver,
    healthy,
)

SCENARIO = healthy(
    dns=(Resolver(VPC_RESOLVER, delay=2.5), Resolver(LINK_LOCAL_RESOLVER)),
    resolv_conf=f"nameserver {VPC_RESOLVER}\noptions timeout:1 attempts:1\n",
    agent=Agent(connected=False),
    expect=Expect("dns-unreachable", "fail", 2, BOTH),
)
