"""systemd-resolved's stub answers SERVFAIL, for the server behind it is silent."""

from tests.vpc.scenario import BOTH, LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Resolver, healthy

STUB, DEAD = "127.0.0.53", "10.0.0.53"
SCENARIO = healthy(
    dns=(
        Resolver(STUB, "drop"),
        Resolver(DEAD, "drop"),
        Resolver(VPC_RESOLVER),
        Resolver(LINK_LOCAL_RESOLVER),
    ),
    resolv_conf=f"nameserver {STUB}\n",
    files={"/run/systemd/resolve/resolv.conf": f"nameserver {DEAD}\n"},
    expect=Expect("dns-unreachable", "fail", 2, BOTH, reason="silent"),
)
