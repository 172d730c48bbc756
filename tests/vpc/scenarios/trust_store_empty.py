"""The system's trust store holds no certificates."""

from tests.vpc.scenario import BOTH, Expect, healthy

SCENARIO = healthy(
    trust="empty",
    expect=Expect("trust-store-empty", "fail", 2, BOTH),
)
