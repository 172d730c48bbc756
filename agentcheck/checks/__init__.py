"""Checks: one file, one question asked of the facts, one result.

A module here is a check. It has a docstring whose first line is the question, `ID`, `REQUIRES`
(ids whose failure makes it pointless), `PROFILES` and `check`. With `PER_SERVICE` true it is run
once for each service, as `ID.service`, and `check` takes the service too; with `DIRECT` true its
failures count only where the agent takes no proxy. Checks touch nothing
themselves; a new check is one new file and its test.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Optional

from agentcheck.model import FAIL, NOT_NEEDED, SKIP, WARN
from agentcheck.observations import CORE_SERVICES, Facts


@dataclass(frozen=True)
class Finding:
    """A check's answer; the runner adds id and times, and what caused a skip.

    `caused_by` is for a check that finds out itself which other one makes it pointless.
    `blocks`: what requires this check is pointless though its status is only a warning.
    """

    status: str
    summary: str
    reason: Optional[str] = None
    target: Optional[str] = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    blocks: bool = False
    caused_by: Optional[str] = None


@dataclass(frozen=True)
class Check:
    """A check ready to run.

    `family` is the module's id without the service; `after` names families that must have ended
    first, whatever their result.
    """

    id: str
    question: str
    requires: Sequence[str]
    after: Sequence[str]
    profiles: Sequence[str]
    run: Callable[[Facts], Finding]
    family: str
    service: Optional[str] = None


def discover(configured: Sequence[str] = ()) -> tuple[Check, ...]:
    """All checks, those of the services expanded; `configured` are services beyond the core."""
    services = tuple(dict.fromkeys((*CORE_SERVICES, *configured)))
    found: list[Check] = []
    for entry in pkgutil.iter_modules(__path__):
        module: Any = importlib.import_module(f"{__name__}.{entry.name}")
        question = (module.__doc__ or "").strip().splitlines()[0]
        if getattr(module, "PER_SERVICE", False):
            found += [_for_service(module, question, service) for service in services]
        else:
            found.append(
                Check(
                    module.ID,
                    question,
                    module.REQUIRES,
                    getattr(module, "AFTER", ()),
                    module.PROFILES,
                    module.check,
                    module.ID,
                )
            )
    return _in_order(found)


def _for_service(module: Any, question: str, service: str) -> Check:
    families = set(module.REQUIRES_PER_SERVICE)
    requires = (*module.REQUIRES, *(f"{family}.{service}" for family in sorted(families)))
    return Check(
        f"{module.ID}.{service}",
        question,
        requires,
        getattr(module, "AFTER", ()),
        module.PROFILES,
        partial(_ask, module.check, service, getattr(module, "DIRECT", False)),
        module.ID,
        service,
    )


def _ask(
    check: Callable[[Facts, str], Finding], service: str, direct: bool, facts: Facts
) -> Finding:
    if service not in facts.services():
        return Finding(SKIP, f"{service} is not needed here", reason=NOT_NEEDED)
    endpoint = facts.endpoint(service)
    if endpoint is None:
        return Finding(SKIP, f"no host is known for {service}", reason="no-host")
    finding = check(facts, service)
    if finding.status == FAIL and not endpoint.required:
        return replace(finding, status=WARN, blocks=True)
    proxy = facts.proxy(service) if direct else None
    if finding.status == FAIL and proxy:
        # What fails directly says nothing of the way through the proxy.
        summary = f"directly: {finding.summary}; the agent goes through {proxy}"
        return replace(finding, status=SKIP, summary=summary, reason="through-proxy")
    return finding


def _in_order(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Requirements first, otherwise by id; a cycle is an error of the programmer."""
    waiting = {check.id: check for check in sorted(checks, key=lambda c: c.id)}
    ordered: dict[str, Check] = {}
    while waiting:
        families = {check.family for check in waiting.values()}
        ready = [
            check
            for check in waiting.values()
            if all(r in ordered for r in check.requires) and not families & set(check.after)
        ]
        if not ready:
            raise ValueError(f"checks that require each other or an unknown one: {sorted(waiting)}")
        for check in ready:
            ordered[check.id] = waiting.pop(check.id)
    return tuple(ordered.values())
