"""The disk is full, and there is no endpoint for ssmmessages."""

from tests.vpc.scenario import PUBLIC_SSMMESSAGES, SSM, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    mounts={"/var/lib/amazon/ssm": "size=64k"},
    files={"/var/lib/amazon/ssm/filler": b"x" * 65536},
    endpoints=(Endpoint("ssm", SSM), Endpoint("ssmmessages", PUBLIC_SSMMESSAGES)),
    rules=(Rule(PUBLIC_SSMMESSAGES),),
    expect=Expect(
        "disk-full",
        "fail",
        2,
        (),
        causes=("disk-full", "endpoint-missing"),
    ),
)
