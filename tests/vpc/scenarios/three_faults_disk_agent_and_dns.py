"""No inode is left, the agent is masked, and the resolver is silent."""

from tests.vpc.scenario import VPC_RESOLVER, Agent, Expect, Resolver, healthy

SCENARIO = healthy(
    mounts={"/var/lib/amazon/ssm": "nr_inodes=2"},
    files={"/var/lib/amazon/ssm/filler": ""},
    agent=Agent(running=False, unit={"LoadState": "masked", "UnitFileState": "masked"}),
    dns=(Resolver(VPC_RESOLVER, "drop"),),
    expect=Expect(
        "disk-full",
        "fail",
        2,
        (),
        causes=("disk-full", "agent-not-running", "dns-unreachable"),
    ),
)
