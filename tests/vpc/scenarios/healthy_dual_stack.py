"""IPv4 and IPv6, and both work."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, healthy

SCENARIO = healthy(
    ipv6=True,
    endpoints=(
        Endpoint("ssm", (*SSM, *("2600:1f18:abcd:2::10",))),
        Endpoint("ssmmessages", (*SSMMESSAGES, *("2600:1f18:abcd:2::11",))),
    ),
)
