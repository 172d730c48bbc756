"""The names of the services do not exist, as where a private zone shadows them."""

from tests.vpc.scenario import BOTH, Expect, healthy

SCENARIO = healthy(
    endpoints=(),
    expect=Expect("dns-not-found", "fail", 2, BOTH),
)
