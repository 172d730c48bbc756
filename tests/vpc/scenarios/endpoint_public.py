"""There is an endpoint for ssm and none for ssmmessages, which is reached over NAT."""

from tests.vpc.scenario import PUBLIC_SSMMESSAGES, SSM, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM), Endpoint("ssmmessages", PUBLIC_SSMMESSAGES)),
    expect=Expect("endpoint-public", "warn", 1, ("ssmmessages",)),
)
