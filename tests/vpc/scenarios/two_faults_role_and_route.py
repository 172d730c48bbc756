"""There is no role, and no default route."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(profile=False),
    default_route=False,
    expect=Expect(
        "role-missing",
        "fail",
        2,
        (),
        causes=("role-missing", "no-route"),
    ),
)
