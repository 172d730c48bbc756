"""The VPC's own resolver has no such names: a hosted zone hides them."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    VPC_RESOLVER,
    Expect,
    Resolver,
    healthy,
    host,
)

SCENARIO = healthy(
    dns=(
        Resolver(VPC_RESOLVER, records={host("ssm"): None, host("ssmmessages"): None}),
        Resolver(LINK_LOCAL_RESOLVER),
    ),
    expect=Expect("dns-not-found", "fail", 2, BOTH),
)
