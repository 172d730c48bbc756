"""The clock is ten hours ahead and the endpoints are closed, so IMDS alone tells the time."""

from tests.vpc.scenario import BOTH, Expect, Imds, Rule, healthy

SCENARIO = healthy(
    imds=Imds(date_offset=-36000.0),
    rules=(Rule(),),
    expect=Expect("endpoint-blocked", "fail", 2, BOTH, ("endpoint-blocked", "clock-skew")),
)
