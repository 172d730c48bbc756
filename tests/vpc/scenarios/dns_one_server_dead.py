"""The first of two DNS servers is dead: names resolve, but every look-up waits for it."""

from tests.vpc.scenario import BOTH, LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Resolver, healthy

DEAD = "10.0.0.53"
SCENARIO = healthy(
    dns=(Resolver(DEAD, "drop"), Resolver(VPC_RESOLVER), Resolver(LINK_LOCAL_RESOLVER)),
    resolv_conf=f"nameserver {DEAD}\nnameserver {VPC_RESOLVER}\n",
    expect=Expect("dns-unreachable", "warn", 1, BOTH, reason="one-server-silent"),
)
