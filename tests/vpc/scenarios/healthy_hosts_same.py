"""The hosts file says of ssm what DNS says too."""

from tests.vpc.scenario import SSM, Agent, Expect, healthy, host

SCENARIO = healthy(
    agent=Agent(connected=False),
    hosts=f"{SSM[0]} {host('ssm')}\n",
    expect=Expect(notes=("hosts-pinned",)),
)
