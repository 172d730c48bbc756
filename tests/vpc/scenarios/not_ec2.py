"""A machine that is not an EC2 instance: other DMI data, and no metadata service."""

from tests.vpc.scenario import Agent, Expect, Imds, healthy

SCENARIO = healthy(
    dmi="qemu",
    imds=Imds("drop"),
    agent=Agent("none"),
    expect=Expect("not-ec2", "unknown", 3),
)
