"""EC2 may not assume the role: its trust policy does not allow it, or it was deleted."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(credentials_code="AssumeRoleUnauthorizedAccess"),
    expect=Expect("role-not-assumable", "fail", 2),
)
