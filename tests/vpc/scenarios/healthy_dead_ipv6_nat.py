"""Public IPv4 addresses over NAT work; IPv6 addresses inside the VPC never answer."""

from tests.vpc.scenario import PUBLIC_SSM, PUBLIC_SSMMESSAGES, Endpoint, Expect, Rule, healthy

DEAD = ("2600:1f18:abcd:2::10", "2600:1f18:abcd:2::11")
SCENARIO = healthy(
    ipv6=True,
    endpoints=(
        Endpoint("ssm", (*PUBLIC_SSM, DEAD[0])),
        Endpoint("ssmmessages", (*PUBLIC_SSMMESSAGES, DEAD[1])),
    ),
    rules=(Rule(DEAD),),
    expect=Expect(notes=("dead-ipv6", "public-addresses")),
)
