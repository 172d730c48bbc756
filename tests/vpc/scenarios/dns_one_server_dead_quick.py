"""The first DNS server is dead, and resolv.conf goes on to the next after one second."""

from tests.vpc.scenario import BOTH, LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Resolver, healthy

DEAD = "10.0.0.53"
SCENARIO = healthy(
    dns=(Resolver(DEAD, "drop"), Resolver(VPC_RESOLVER), Resolver(LINK_LOCAL_RESOLVER)),
    resolv_conf=f"options timeout:1\nnameserver {DEAD}\nnameserver {VPC_RESOLVER}\n",
    expect=Expect("dns-unreachable", "warn", 1, BOTH, reason="one-server-silent"),
)
