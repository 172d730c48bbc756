"""The hosts file sends ssm to an address that nobody has any more."""

from tests.vpc.scenario import Agent, Expect, healthy, host

SCENARIO = healthy(
    hosts=f"10.0.9.9 {host('ssm')}\n",
    agent=Agent(connected=False),
    expect=Expect("hosts-override", "fail", 2, ("ssm",), reason="broken"),
)
