"""The image brought the state of another instance along: the agent registers anew."""

from tests.vpc.scenario import Agent, Expect, healthy

REGISTRATION = '{"ManagedInstanceID": "i-0fedcba9876543210", "Region": "us-east-1"}'
SCENARIO = healthy(
    agent=Agent(registration=REGISTRATION),
    expect=Expect(notes=("stale-registration",)),
)
