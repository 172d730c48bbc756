"""The CA bundle is full of others' certificates."""

from tests.vpc.scenario import BOTH, Expect, healthy

SCENARIO = healthy(
    trust="unrelated",
    expect=Expect("tls-intercepted", "fail", 2, BOTH),
)
