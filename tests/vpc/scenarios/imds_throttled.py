"""The metadata service gives a token and then throttles everything: nobody is to blame."""

from tests.vpc.scenario import Expect, Imds, healthy

THROTTLED = (
    "dynamic/instance-identity/document",
    "meta-data/instance-id",
    "meta-data/mac",
    "meta-data/placement/region",
    "meta-data/iam/security-credentials/",
)
SCENARIO = healthy(
    imds=Imds(paths=dict.fromkeys(THROTTLED, (429, ""))),
    expect=Expect("could-not-tell", "unknown", 3),
)
