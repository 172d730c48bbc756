"""What the rounds tell, one after the other: what is pending, what is confirmed, what is news.

It touches nothing: reports and times go in, what is to be said and shown comes out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from agentcheck.daemon.confirmation import Change, Confirmation
from agentcheck.model import (
    FAIL,
    OK,
    PENDING,
    SKIP,
    UNKNOWN,
    WARN,
    Cause,
    HistoryEntry,
    Live,
    Report,
    Result,
)

# Status, verdict code and services: what a change of the whole is.
Whole = tuple[str, str, tuple[str, ...]]
GOOD = (OK, WARN)


@dataclass(frozen=True)
class News:
    """What one round changed, once confirmed. `whole` is the verdict's change, `checks` those of
    single checks, by id: `(previous, now)` as results' `(status, reason)`."""

    whole: Optional[Change[Whole]] = None
    checks: Sequence[tuple[Result, Optional[str]]] = ()


class Watch:
    """The memory of the daemon. `entries` is the history so far, oldest first."""

    def __init__(self, confirm: int, entries: Sequence[HistoryEntry]) -> None:
        last = entries[-1] if entries else None
        known = (last.status, last.verdict, tuple(last.services)) if last else None
        self._last_known: Optional[Whole] = known
        self._dated = last.time if last else ""  # what a restart found, until the next change
        self._whole: Confirmation[Whole] = Confirmation(confirm, lambda whole: whole[0] in GOOD)
        self._checks: dict[str, Confirmation[tuple[str, Optional[str]]]] = {}
        self._confirm = confirm
        self.history = list(entries)
        self.runs: dict[str, int] = {}
        self.bad_rounds = 0
        self._once_good = False

    def set_confirm(self, confirm: int) -> None:
        """Another number of rounds from now on."""
        self._confirm = self._whole.needed = confirm
        for check in self._checks.values():
            check.needed = confirm

    @property
    def doubtful(self) -> int:
        """How many rounds in a row saw something that is not confirmed yet."""
        return self._whole.doubtful

    def see(self, report: Report, now: float, booting: bool) -> tuple[Report, News]:
        """A round has ended at `now` (epoch seconds): the report as it is shown, and the news."""
        report = self._pending(report, booting)
        status = report.status
        self.runs[status] = self.runs.get(status, 0) + 1
        self._once_good = self._once_good or status in GOOD
        self.bad_rounds = 0 if status in GOOD else self.bad_rounds + 1
        if status == PENDING:
            return report, News()  # expected for a while: neither news nor history
        verdict = report.verdict
        whole = (status, verdict.code, tuple(verdict.services))
        change = self._whole.see(whole, now)
        if self._whole.begins and status not in GOOD:
            self.bad_rounds = 1  # another trouble than before is looked at again soon
        known = self._whole.value is None and whole == self._last_known
        known = known or (change is not None and change.value == self._last_known)
        checks = tuple(self._of_checks(report, now, known))
        return report, News(self._told(change, report), checks)

    def live(self, history: int = 200) -> Live:
        """What is confirmed now; the age of the report is the board's to tell."""
        value = self._whole.value
        status, code = (value[0], value[1]) if value else (PENDING, PENDING)
        return Live(
            status,
            code,
            (self._dated or moment(self._whole.since)) if value else "",
            0.0,
            False,
            dict(self.runs),
            tuple(reversed(self.history[-history:])),
        )

    def trim(self, most: int) -> None:
        """Forgets the oldest entries beyond `most`."""
        del self.history[: max(0, len(self.history) - most)]

    def _pending(self, report: Report, booting: bool) -> Report:
        """Trouble that is expected for a while is pending: at boot, or during an update."""
        if report.status in GOOD:
            return report
        updating = report.verdict.reason == "agent-updating"
        if not updating and not (booting and not self._once_good):
            return report
        verdict = replace(report.verdict, status=PENDING)
        return replace(report, verdict=verdict, causes=(verdict, *report.causes[1:]))

    def _told(self, change: Optional[Change[Whole]], report: Report) -> Optional[Change[Whole]]:
        """The change, unless it only confirms what was known before a restart."""
        if change is None:
            return None
        previous = change.previous or self._last_known
        if change.previous is None and change.value == self._last_known:
            return None
        self._dated = ""
        change = replace(change, previous=previous)
        status, code, services = change.value
        self.history.append(
            HistoryEntry(
                moment(change.since),
                status,
                previous[0] if previous else None,
                code,
                list(services),
                report.run_id,
            )
        )
        return change

    def _of_checks(
        self, report: Report, now: float, known: bool
    ) -> Sequence[tuple[Result, Optional[str]]]:
        """The checks whose status has changed for good; a check that was skipped says nothing.

        `known`: the whole is as it was before a restart, so what is seen first is no news.
        """
        news = []
        for result in report.checks:
            if result.status == SKIP:
                continue
            seen = self._checks.setdefault(
                result.id, Confirmation(self._confirm, lambda found: found[0] in GOOD)
            )
            change = seen.see((result.status, result.reason), now)
            if change is None:
                continue
            before = change.previous[0] if change.previous else None
            first = before is None and (known or result.status == OK)
            if before != result.status and not first:
                news.append((result, before))
        return news


def lost(report: Optional[Report], version: str, run_id: str, now: float, why: str) -> Report:
    """The report of a round that gave none. `report` is the one before, for the instance's sake."""
    cause = Cause(
        "could-not-tell",
        UNKNOWN,
        f"No verdict: the round of checks {why}.",
        [f"the round {why}"],
        ["Run it by hand: agentcheck run --verbose; if it stays so, report what it prints."],
        reason="round-lost",
    )
    empty = Report(
        version, run_id, moment(now), 0.0, "timer", "instance", False, cause, (cause,), (), (),
        _NO_INSTANCE, _NO_AGENT, (),
    )  # fmt: skip
    if report is None:
        return empty
    return replace(empty, instance=report.instance, agent=report.agent)


_NO_INSTANCE: Mapping[str, Any] = {
    **dict.fromkeys(
        (
            "instance_id",
            "region",
            "availability_zone",
            "vpc_id",
            "subnet_id",
            "local_ipv4",
            "public_ipv4",
            "ami_id",
            "instance_type",
            "partition",
            "domain",
        )
    ),
    "vpc_cidrs": [],
    "security_groups": [],
}
_NO_AGENT: Mapping[str, Any] = {
    **dict.fromkeys(
        (
            "installed",
            "path",
            "package",
            "version",
            "running_version",
            "running",
            "connected",
            "needs_ec2messages",
            "proxy",
        )
    ),
    "pids": [],
    "endpoint_overrides": {},
}
# How grave an entry is: recovered, warning, failure.
GRAVITY = {OK: 6, PENDING: 6, WARN: 4, UNKNOWN: 4, FAIL: 3, "error": 4}


def moment(now: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
