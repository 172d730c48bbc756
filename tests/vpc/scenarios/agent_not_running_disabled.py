"""The agent does not run, and systemd says why: disabled."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(
        running=False,
        unit={"UnitFileState": "disabled"},
    ),
    expect=Expect("agent-not-running", "fail", 2, reason="disabled"),
)
