"""The agent is disabled, and the metadata service is switched off."""

from tests.vpc.scenario import Agent, Expect, Imds, healthy

SCENARIO = healthy(
    agent=Agent(running=False, unit={"UnitFileState": "disabled"}),
    imds=Imds("disabled"),
    expect=Expect(
        "agent-not-running",
        "fail",
        2,
        (),
        causes=("agent-not-running", "imds-disabled"),
    ),
)
