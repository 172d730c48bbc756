"""The agent is connected, but as a hybrid node."""

from tests.vpc.scenario import Agent, Expect, healthy

REGISTRATION = '{"ManagedInstanceID": "mi-0123456789abcdef0", "Region": "us-east-1"}'
SCENARIO = healthy(
    agent=Agent(registration=REGISTRATION, connected=True),
    expect=Expect("agent-hybrid", "warn", 1),
)
