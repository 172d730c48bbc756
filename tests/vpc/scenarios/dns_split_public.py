"""The company's resolver gives public addresses, which work over NAT."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    PUBLIC_SSM,
    PUBLIC_SSMMESSAGES,
    SSM,
    SSMMESSAGES,
    VPC_RESOLVER,
    Endpoint,
    Expect,
    Resolver,
    healthy,
    host,
)

OWN = "10.0.0.53"
PRIVATE = {host("ssm"): SSM, host("ssmmessages"): SSMMESSAGES}
SCENARIO = healthy(
    dns=(
        Resolver(OWN, records={host("ssm"): PUBLIC_SSM, host("ssmmessages"): PUBLIC_SSMMESSAGES}),
        Resolver(VPC_RESOLVER, records=PRIVATE),
        Resolver(LINK_LOCAL_RESOLVER, records=PRIVATE),
    ),
    endpoints=(
        Endpoint("ssm", (*SSM, *PUBLIC_SSM)),
        Endpoint("ssmmessages", (*SSMMESSAGES, *PUBLIC_SSMMESSAGES)),
    ),
    resolv_conf=f"nameserver {OWN}\n",
    expect=Expect("dns-split", "warn", 1, BOTH, reason="public"),
)
