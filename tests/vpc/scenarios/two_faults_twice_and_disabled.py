"""Two agents are installed, and the one that runs is not enabled."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(installed="both", unit={"UnitFileState": "disabled"}),
    expect=Expect(
        "agent-not-enabled",
        "warn",
        1,
        (),
        causes=("agent-not-enabled", "agent-duplicate"),
    ),
)
