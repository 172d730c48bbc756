"""State of another instance, and no channel yet: only a note."""

from tests.vpc.scenario import Agent, Expect, healthy

REGISTRATION = '{"ManagedInstanceID": "i-0fedcba9876543210", "Region": "us-east-1"}'
SCENARIO = healthy(
    agent=Agent(registration=REGISTRATION, connected=False),
    expect=Expect(notes=("stale-registration",)),
)
