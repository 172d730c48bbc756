"""The instance has no instance profile."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(profile=False),
    expect=Expect("role-missing", "fail", 2, reason="no-profile"),
)
