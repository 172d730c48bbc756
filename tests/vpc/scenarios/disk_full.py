"""Where the agent keeps its state there is no byte left."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    mounts={"/var/lib/amazon/ssm": "size=64k"},
    files={"/var/lib/amazon/ssm/filler": b"x" * 65536},
    agent=Agent(connected=False),
    expect=Expect("disk-full", "fail", 2, reason="no-bytes"),
)
