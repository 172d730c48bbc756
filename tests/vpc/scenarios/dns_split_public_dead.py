"""The company's resolver gives public addresses that cannot be reached from here."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    PUBLIC_SSM,
    PUBLIC_SSMMESSAGES,
    VPC_RESOLVER,
    Expect,
    Resolver,
    healthy,
    host,
)

OWN = "10.0.0.53"
SCENARIO = healthy(
    dns=(
        Resolver(OWN, records={host("ssm"): PUBLIC_SSM, host("ssmmessages"): PUBLIC_SSMMESSAGES}),
        Resolver(VPC_RESOLVER),
        Resolver(LINK_LOCAL_RESOLVER),
    ),
    resolv_conf=f"nameserver {OWN}\n",
    expect=Expect("dns-split", "fail", 2, BOTH, reason="unusable"),
)
