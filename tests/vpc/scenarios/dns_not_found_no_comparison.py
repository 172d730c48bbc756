"""The company's resolver knows no endpoint, and the VPC's own is silent."""

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
        Resolver(VPC_RESOLVER, "drop"),
        Resolver(LINK_LOCAL_RESOLVER, "drop"),
    ),
    resolv_conf=f"nameserver {OWN}\n",
    expect=Expect("dns-not-found", "fail", 2, BOTH),
)
