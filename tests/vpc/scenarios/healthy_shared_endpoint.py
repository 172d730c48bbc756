"""All is well, and the endpoints are in another VPC that shares them."""

from tests.vpc.scenario import Endpoint, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", ("10.9.1.10",)), Endpoint("ssmmessages", ("10.9.1.11",))),
)
