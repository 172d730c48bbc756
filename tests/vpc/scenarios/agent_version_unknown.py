"""The agent tells a placeholder for a version, and no package knows better."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(version="3.3.0.0", package_version=None, connected=True),
    expect=Expect("agent-version-unknown", "warn", 1),
)
