"""Neither the resolver of the company nor the VPC's own knows the endpoints."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    VPC_RESOLVER,
    Expect,
    Resolver,
    healthy,
    host,
)

OWN = "10.0.0.53"
SCENARIO = healthy(
    dns=(
        Resolver(OWN, records={host("ssm"): None, host("ssmmessages"): None}),
        Resolver(VPC_RESOLVER, records={host("ssm"): None, host("ssmmessages"): None}),
        Resolver(LINK_LOCAL_RESOLVER, records={host("ssm"): None, host("ssmmessages"): None}),
    ),
    resolv_conf=f"nameserver {OWN}\n",
    expect=Expect("dns-not-found", "fail", 2, BOTH),
)
