"""The instance profile holds no role."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(role=None),
    expect=Expect("role-missing", "fail", 2, reason="no-role"),
)
