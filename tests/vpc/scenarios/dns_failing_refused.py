"""The resolvers refuse to answer."""

from tests.vpc.scenario import BOTH, LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Resolver, healthy

SCENARIO = healthy(
    dns=(Resolver(VPC_RESOLVER, "refused"), Resolver(LINK_LOCAL_RESOLVER, "refused")),
    expect=Expect("dns-failing", "fail", 2, BOTH),
)
