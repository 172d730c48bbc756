"""Where the agent writes its logs the file system has become read-only."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    mounts={"/var/log/amazon/ssm": "ro"},
    agent=Agent(connected=False),
    expect=Expect("disk-full", "fail", 2, reason="read-only"),
)
