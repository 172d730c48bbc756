"""The role's credentials expired and were not renewed."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds(credentials_lifetime=-600),
    expect=Expect("credentials-expired", "fail", 2),
)
