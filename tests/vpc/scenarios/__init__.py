"""One file a scenario: `endpoint_blocked.py` is the scenario endpoint-blocked.

Its docstring says in one sentence what is the matter, its SCENARIO what differs from a healthy VPC.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from pathlib import Path

from tests.vpc.scenario import Scenario


def scenarios() -> dict[str, Scenario]:
    """All scenarios by name."""
    names = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))
    return {name: find(name) for name in names}


def find(name: str) -> Scenario:
    """The scenario of that name. Raises KeyError for an unknown one."""
    stem = name.replace("-", "_")
    if not stem.isidentifier() or not Path(__file__).with_name(f"{stem}.py").is_file():
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{stem}")
    summary = (module.__doc__ or "").strip().splitlines()[0]
    found = module.SCENARIO
    assert isinstance(found, Scenario)
    return dataclasses.replace(found, name=stem.replace("_", "-"), summary=summary)
