"""An instance without IPv4: metadata, names and endpoints over IPv6."""

from tests.vpc.scenario import IPV6_RESOLVER, Endpoint, Imds, Resolver, healthy

SCENARIO = healthy(
    ipv4=False,
    ipv6=True,
    imds=Imds(ipv6=True),
    dns=(Resolver(IPV6_RESOLVER),),
    resolv_conf=f"nameserver {IPV6_RESOLVER}\n",
    endpoints=(
        Endpoint("ssm", ("2600:1f18:abcd:2::10",)),
        Endpoint("ssmmessages", ("2600:1f18:abcd:2::11",)),
    ),
)
