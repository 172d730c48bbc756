"""The VPC's own networks are of a public range: its endpoints are private all the same."""

from tests.vpc.scenario import Endpoint, Imds, healthy

SCENARIO = healthy(
    imds=Imds(vpc_cidrs=("10.0.0.0/16", "198.18.0.0/15", "52.94.0.0/22")),
    endpoints=(Endpoint("ssm", ("52.94.1.10",)), Endpoint("ssmmessages", ("52.94.1.11",))),
)
