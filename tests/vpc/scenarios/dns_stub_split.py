"""Behind systemd-resolved's stub stands a resolver that does not know the endpoints."""

from tests.vpc.scenario import (
    BOTH,
    LINK_LOCAL_RESOLVER,
    VPC_RESOLVER,
    Expect,
    Resolver,
    healthy,
    host,
)

STUB, OWN = "127.0.0.53", "10.0.0.53"
UNKNOWN = {host("ssm"): None, host("ssmmessages"): None}
SCENARIO = healthy(
    dns=(
        Resolver(STUB, records=UNKNOWN),
        Resolver(OWN, records=UNKNOWN),
        Resolver(VPC_RESOLVER),
        Resolver(LINK_LOCAL_RESOLVER),
    ),
    resolv_conf=f"nameserver {STUB}\n",
    files={"/run/systemd/resolve/resolv.conf": f"nameserver {OWN}\n"},
    expect=Expect("dns-split", "fail", 2, BOTH),
)
