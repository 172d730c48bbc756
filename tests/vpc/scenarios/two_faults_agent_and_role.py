"""The agent does not run, and there is no role."""

from tests.vpc.scenario import Agent, Expect, Imds, healthy

SCENARIO = healthy(
    agent=Agent(running=False),
    imds=Imds(profile=False),
    expect=Expect(
        "agent-not-running",
        "fail",
        2,
        (),
        causes=("agent-not-running", "role-missing"),
    ),
)
