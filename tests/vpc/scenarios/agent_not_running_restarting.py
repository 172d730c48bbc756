"""The agent does not run, and systemd says why: restarting."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(
        running=False,
        unit={"ActiveState": "activating", "SubState": "auto-restart"},
    ),
    expect=Expect("agent-not-running", "fail", 2, reason="restarting"),
)
