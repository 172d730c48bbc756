"""Where the agent keeps its state there is no inode left."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    mounts={"/var/lib/amazon/ssm": "nr_inodes=2"},
    files={"/var/lib/amazon/ssm/filler": ""},
    agent=Agent(connected=False),
    expect=Expect("disk-full", "fail", 2, reason="no-inodes"),
)
