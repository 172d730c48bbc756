"""The metadata service accepts connections and never answers, as behind a hop too many."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds("silent"),
    expect=Expect("imds-unreachable", "fail", 2, reason="silent"),
)
