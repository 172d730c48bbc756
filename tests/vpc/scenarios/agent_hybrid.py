"""The image brought a hybrid registration along."""

from tests.vpc.scenario import Agent, Expect, healthy

REGISTRATION = '{"ManagedInstanceID": "mi-0123456789abcdef0", "Region": "us-east-1"}'
SCENARIO = healthy(
    agent=Agent(registration=REGISTRATION, connected=False),
    expect=Expect("agent-hybrid", "fail", 2),
)
