"""Something drops the packets to the metadata service."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds("drop"),
    expect=Expect("imds-unreachable", "fail", 2, reason="timeout"),
)
