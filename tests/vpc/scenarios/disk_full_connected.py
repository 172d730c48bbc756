"""There is no byte left, but the agent is connected."""

from tests.vpc.scenario import Expect, healthy

SCENARIO = healthy(
    mounts={"/var/lib/amazon/ssm": "size=64k"},
    files={"/var/lib/amazon/ssm/filler": b"x" * 65536},
    expect=Expect("disk-full", "warn", 1, reason="no-bytes"),
)
