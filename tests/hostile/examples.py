"""How many examples the property tests of hostile inputs take, and that they are always the same.

`HOSTILE_TIMES=10 python -m pytest tests/hostile` takes ten times as many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("HOSTILE_TIMES", "1"))


def examples(count: int = 100) -> settings:
    """A decorator: so many examples, the same in every run, however long one takes."""
    return settings(
        max_examples=count * TIMES,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
