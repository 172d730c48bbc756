"""The image brought a hybrid registration along, and there is no role."""

from tests.vpc.scenario import Agent, Expect, Imds, healthy

SCENARIO = healthy(
    agent=Agent(registration='{"ManagedInstanceID": "mi-0123456789abcdef0"}'),
    imds=Imds(profile=False),
    expect=Expect(
        "agent-hybrid",
        "fail",
        2,
        (),
        causes=("agent-hybrid", "role-missing"),
    ),
)
