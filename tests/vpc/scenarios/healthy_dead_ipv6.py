"""All is well over IPv4, while the endpoints' IPv6 addresses never answer."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, Rule, healthy

DEAD = ("2600:1f18:abcd:2::10", "2600:1f18:abcd:2::11")

SCENARIO = healthy(
    ipv6=True,
    endpoints=(Endpoint("ssm", (*SSM, DEAD[0])), Endpoint("ssmmessages", (*SSMMESSAGES, DEAD[1]))),
    rules=(Rule(DEAD),),
    expect=Expect(notes=("dead-ipv6",)),
)
