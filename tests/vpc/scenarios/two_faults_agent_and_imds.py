"""No agent, and the metadata service is silent; DMI says that it is EC2."""

from tests.vpc.scenario import Agent, Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds("drop"),
    agent=Agent("none"),
    expect=Expect("agent-missing", "fail", 2, causes=("agent-missing", "imds-unreachable")),
)
