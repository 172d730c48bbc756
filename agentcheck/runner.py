"""Runs the checks of a round: by what they require, side by side, under one deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Optional

from agentcheck.checks import Check, Finding
from agentcheck.model import ERROR, FAIL, SKIP, Result
from agentcheck.observations import Facts

Done = tuple[Check, Result, bool]


def utc_text(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run(
    checks: Sequence[Check],
    facts: Facts,
    deadline: float,
    interrupted: Callable[[], bool] = lambda: False,
) -> list[Result]:
    """One result for each check, in the order given, within `deadline` seconds.

    A check whose requirement failed is not run but skipped, and names the failure at its root. A
    check that raises or is not done in time is an `error`; its thread is left behind (daemon).
    """
    end = time.monotonic() + deadline
    waiting = {check.id: check for check in checks}
    results: dict[str, Result] = {}
    blocking: set[str] = set()
    running: dict[str, Check] = {}
    done: queue.Queue[Done] = queue.Queue()
    while waiting or running:
        _settle(waiting, running, results, blocking, facts, done)
        if not running:
            continue
        left = end - time.monotonic()
        try:
            if left <= 0 or interrupted():
                raise queue.Empty
            # Short waits, so that an interruption is seen.
            check, result, blocks = done.get(timeout=min(left, 0.2))
        except queue.Empty:
            if left > 0.2 and not interrupted():
                continue
            reason = "interrupted" if interrupted() else "deadline"
            for check in (*running.values(), *waiting.values()):
                summary = f"not finished within {deadline:g} s"
                results[check.id] = Result(check.id, ERROR, summary, reason=reason)
            break
        del running[check.id]
        results[check.id] = result
        if blocks or result.status in (FAIL, ERROR, SKIP):
            blocking.add(check.id)
    return [results[check.id] for check in checks]


def _settle(
    waiting: dict[str, Check],
    running: dict[str, Check],
    results: dict[str, Result],
    blocking: set[str],
    facts: Facts,
    done: queue.Queue[Done],
) -> None:
    """Starts or skips whatever has its requirements; skips may allow more skips."""
    moved = True
    while moved:
        moved = False
        open_families = {c.family for c in (*waiting.values(), *running.values())}
        for check in list(waiting.values()):
            blocker = next((results[r] for r in check.requires if r in blocking), None)
            if blocker:
                results[check.id] = _skipped(check, blocker)
                blocking.add(check.id)
            elif all(r in results for r in check.requires) and not open_families & set(check.after):
                running[check.id] = check
                _start(check, facts, done)
            else:
                continue
            del waiting[check.id]
            moved = True


def _skipped(check: Check, blocker: Result) -> Result:
    if blocker.status == SKIP and blocker.caused_by is None:
        return replace(blocker, id=check.id, facts={}, phases={})
    root = blocker.caused_by or blocker.id
    return Result(
        check.id, SKIP, f"not tried: {root} failed", reason="prerequisite", caused_by=root
    )


def _start(check: Check, facts: Facts, done: queue.Queue[Done]) -> None:
    threading.Thread(
        target=lambda: done.put((check, *_run_one(check, facts))), name=check.id, daemon=True
    ).start()


def _run_one(check: Check, facts: Facts) -> tuple[Result, bool]:
    """The result, and whether it blocks what requires the check."""
    started, begun = time.time(), time.monotonic()
    finding: Optional[Finding] = None
    try:
        finding = check.run(facts)
    except Exception as error:  # noqa: BLE001 - one broken check never stops the others
        # The type only: an exception's text may carry what a service sent.
        finding = Finding(ERROR, f"internal error ({type(error).__name__})", reason="exception")
    result = Result(
        check.id,
        finding.status,
        finding.summary,
        finding.reason,
        finding.target,
        finding.facts,
        finding.caused_by,
        utc_text(started),
        round(time.monotonic() - begun, 4),
        finding.phases,
    )
    return result, finding.blocks
