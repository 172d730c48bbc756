"""The endpoints' security groups were closed after the agent had connected."""

from tests.vpc.scenario import BOTH, Expect, Rule, healthy

SCENARIO = healthy(
    closed_later=(Rule(),),
    expect=Expect(
        "endpoint-blocked", "fail", 2, BOTH, causes=("endpoint-blocked", "latent-failure")
    ),
)
