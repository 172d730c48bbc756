"""The resolvers answer SERVFAIL."""

from tests.vpc.scenario import BOTH, LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Resolver, healthy

SCENARIO = healthy(
    dns=(Resolver(VPC_RESOLVER, "servfail"), Resolver(LINK_LOCAL_RESOLVER, "servfail")),
    expect=Expect("dns-failing", "fail", 2, BOTH),
)
