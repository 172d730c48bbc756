"""The agent does not run, and systemd says why: masked."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(
        running=False,
        unit={"LoadState": "masked", "UnitFileState": "masked"},
    ),
    expect=Expect("agent-not-running", "fail", 2, reason="masked"),
)
