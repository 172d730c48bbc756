"""Some checks only, and they find nothing."""

from tests.vpc.scenario import Expect, healthy

SCENARIO = healthy(
    run_args=("--only", "tcp.*"),
    expect=Expect("partial", "ok", 0, causes=()),
)
