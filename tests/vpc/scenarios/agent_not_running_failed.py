"""The agent does not run, and systemd says why: failed."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(
        running=False,
        unit={
            "ActiveState": "failed",
            "SubState": "failed",
            "Result": "exit-code",
            "ExecMainStatus": "1",
        },
    ),
    expect=Expect("agent-not-running", "fail", 2, reason="failed"),
)
