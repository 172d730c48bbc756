"""The agent does not run, there is no role, and port 443 is closed."""

from tests.vpc.scenario import Agent, Expect, Imds, Rule, healthy

SCENARIO = healthy(
    agent=Agent(running=False),
    imds=Imds(profile=False),
    rules=(Rule(),),
    expect=Expect(
        "agent-not-running",
        "fail",
        2,
        (),
        causes=("agent-not-running", "role-missing", "endpoint-blocked"),
    ),
)
