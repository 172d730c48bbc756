"""No resolver answers."""

from tests.vpc.scenario import BOTH, LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Resolver, healthy

SCENARIO = healthy(
    dns=(Resolver(VPC_RESOLVER, "drop"), Resolver(LINK_LOCAL_RESOLVER, "drop")),
    expect=Expect("dns-unreachable", "fail", 2, BOTH),
)
