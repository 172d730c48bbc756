"""An instance without IPv4 reaches the public endpoints over NAT64."""

from tests.vpc.scenario import (
    IPV6_RESOLVER,
    PUBLIC_SSM,
    PUBLIC_SSMMESSAGES,
    Endpoint,
    Expect,
    Imds,
    Resolver,
    healthy,
)

SCENARIO = healthy(
    ipv4=False,
    ipv6=True,
    imds=Imds(ipv6=True),
    dns=(Resolver(IPV6_RESOLVER),),
    resolv_conf=f"nameserver {IPV6_RESOLVER}\n",
    endpoints=(
        Endpoint("ssm", (*PUBLIC_SSM, "64:ff9b::345e:a")),
        Endpoint("ssmmessages", (*PUBLIC_SSMMESSAGES, "64:ff9b::345e:b")),
    ),
    expect=Expect(notes=("public-addresses", "nat64")),
)
