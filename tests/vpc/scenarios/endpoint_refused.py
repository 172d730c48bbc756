"""Connections to the endpoints are refused."""

from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM, "refuse"), Endpoint("ssmmessages", SSMMESSAGES, "refuse")),
    expect=Expect("endpoint-refused", "fail", 2, BOTH),
)
