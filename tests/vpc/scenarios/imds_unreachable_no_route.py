"""A route on the instance makes the metadata service unreachable."""

from tests.vpc.scenario import Expect, healthy

SCENARIO = healthy(
    imds_route=False,
    expect=Expect("imds-unreachable", "fail", 2, reason="no-route"),
)
