"""The disk is read-only, and the company's resolver does not know the endpoints."""

from tests.vpc.scenario import LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Resolver, healthy, host

SCENARIO = healthy(
    mounts={"/var/log/amazon/ssm": "ro"},
    dns=(
        Resolver("10.0.0.53", records={host("ssm"): None, host("ssmmessages"): None}),
        Resolver(VPC_RESOLVER),
        Resolver(LINK_LOCAL_RESOLVER),
    ),
    resolv_conf="nameserver 10.0.0.53\n",
    expect=Expect(
        "disk-full",
        "fail",
        2,
        (),
        causes=("disk-full", "dns-split"),
    ),
)
