"""The hosts file pins ssm elsewhere, but it is the empty CA bundle that breaks both."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    SSM,
    SSMMESSAGES,
    VPC_RESOLVER,
    Endpoint,
    Expect,
    Resolver,
    healthy,
    host,
)

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", (*SSM, "10.0.3.10")), Endpoint("ssmmessages", SSMMESSAGES)),
    dns=(
        Resolver(VPC_RESOLVER, records={host("ssm"): SSM}),
        Resolver(LINK_LOCAL_RESOLVER),
    ),
    hosts=f"10.0.3.10 {host('ssm')}\n",
    trust="empty",
    expect=Expect(
        "trust-store-empty", "fail", 2, BOTH, causes=("trust-store-empty", "hosts-override")
    ),
)
