"""An instance without IPv4, and no NAT64 route behind the translated addresses."""

from tests.vpc.scenario import (
    BOTH,
    IPV6_RESOLVER,
    PUBLIC_SSM,
    PUBLIC_SSMMESSAGES,
    Endpoint,
    Expect,
    Imds,
    Resolver,
    Rule,
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
    rules=(Rule(),),
    expect=Expect("endpoint-missing", "fail", 2, BOTH),
)
