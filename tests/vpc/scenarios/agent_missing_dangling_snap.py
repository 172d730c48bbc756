"""Of the agent's snap only a link to a revision that is gone is left."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(installed="none", dangling_snap=True),
    expect=Expect("agent-missing", "fail", 2, reason="snap-dangling"),
)
