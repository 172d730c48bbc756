"""All is well, and the endpoints are in a second address range of the VPC."""

from tests.vpc.scenario import Endpoint, Imds, healthy

SCENARIO = healthy(
    imds=Imds(vpc_cidrs=("10.0.0.0/16", "100.64.0.0/16")),
    endpoints=(Endpoint("ssm", ("100.64.1.10",)), Endpoint("ssmmessages", ("100.64.1.11",))),
)
