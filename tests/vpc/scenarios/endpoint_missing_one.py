"""There is an endpoint for ssm and none for ssmmessages, and no NAT."""

from tests.vpc.scenario import PUBLIC_SSMMESSAGES, SSM, Endpoint, Expect, Rule, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM), Endpoint("ssmmessages", PUBLIC_SSMMESSAGES)),
    rules=(Rule(PUBLIC_SSMMESSAGES),),
    expect=Expect("endpoint-missing", "fail", 2, ("ssmmessages",)),
)
