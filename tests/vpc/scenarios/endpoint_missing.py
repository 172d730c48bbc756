"""There are no endpoints, and no NAT either."""

from tests.vpc.scenario import BOTH, PUBLIC_SSM, PUBLIC_SSMMESSAGES, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", PUBLIC_SSM), Endpoint("ssmmessages", PUBLIC_SSMMESSAGES)),
    rules=(Rule(),),
    expect=Expect("endpoint-missing", "fail", 2, BOTH),
)
