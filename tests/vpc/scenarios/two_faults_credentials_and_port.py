"""The credentials have ended, and port 443 is closed."""

from tests.vpc.scenario import Expect, Imds, Rule, healthy

SCENARIO = healthy(
    imds=Imds(credentials_lifetime=-600),
    rules=(Rule(),),
    expect=Expect(
        "credentials-expired",
        "fail",
        2,
        (),
        causes=("credentials-expired", "endpoint-blocked"),
    ),
)
