"""A captive portal answers in place of the metadata service."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds("html"),
    expect=Expect("imds-not-genuine", "fail", 2),
)
