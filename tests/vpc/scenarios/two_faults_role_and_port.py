"""Two faults that have nothing to do with each other: no role, and a closed port 443."""

from tests.vpc.scenario import Expect, Imds, Rule, healthy

SCENARIO = healthy(
    imds=Imds(profile=False),
    rules=(Rule(),),
    expect=Expect("role-missing", "fail", 2, causes=("role-missing", "endpoint-blocked")),
)
