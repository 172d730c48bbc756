"""The metadata service is turned off."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds("disabled"),
    expect=Expect("imds-disabled", "fail", 2),
)
