"""An instance without IPv4, and endpoints with nothing else."""

from tests.vpc.scenario import BOTH, IPV6_RESOLVER, Agent, Expect, Imds, Resolver, healthy

SCENARIO = healthy(
    ipv4=False,
    ipv6=True,
    imds=Imds(ipv6=True),
    dns=(Resolver(IPV6_RESOLVER),),
    resolv_conf=f"nameserver {IPV6_RESOLVER}\n",
    agent=Agent(connected=False),
    expect=Expect("no-route", "fail", 2, BOTH, reason="ipv4-only"),
)
