"""systemd-resolved's stub on the instance asks the VPC's resolver."""

from tests.vpc.scenario import LINK_LOCAL_RESOLVER, VPC_RESOLVER, Resolver, healthy

STUB = "127.0.0.53"
SCENARIO = healthy(
    dns=(Resolver(STUB), Resolver(VPC_RESOLVER), Resolver(LINK_LOCAL_RESOLVER)),
    resolv_conf=f"nameserver {STUB}\noptions edns0 trust-ad\n",
    files={"/run/systemd/resolve/resolv.conf": f"nameserver {VPC_RESOLVER}\n"},
)
