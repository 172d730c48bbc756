"""The company's resolver is asked first and knows no endpoint; the VPC's is the second."""

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
        Resolver(VPC_RESOLVER),
        Resolver(LINK_LOCAL_RESOLVER),
    ),
    resolv_conf=f"nameserver {OWN}\nnameserver {VPC_RESOLVER}\n",
    expect=Expect("dns-split", "fail", 2, BOTH),
)
