"""The hosts file sends ssm to another address than DNS does, and it works."""

from tests.vpc.scenario import (
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
        Resolver(LINK_LOCAL_RESOLVER, records={host("ssm"): SSM}),
    ),
    hosts=f"10.0.3.10 {host('ssm')}\n",
    expect=Expect("hosts-override", "warn", 1, ("ssm",), reason="differs"),
)
