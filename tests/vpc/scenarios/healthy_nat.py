"""All is well without endpoints: the services' public addresses are reached over NAT."""

from tests.vpc.scenario import PUBLIC_SSM, PUBLIC_SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", PUBLIC_SSM), Endpoint("ssmmessages", PUBLIC_SSMMESSAGES)),
    expect=Expect(notes=("public-addresses",)),
)
