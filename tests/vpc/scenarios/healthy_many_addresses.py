"""Each service has six addresses in six subnets."""

from tests.vpc.scenario import Endpoint, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", tuple(f"10.0.{n}.10" for n in range(1, 7))),
        Endpoint("ssmmessages", tuple(f"10.0.{n}.11" for n in range(1, 7))),
    ),
)
