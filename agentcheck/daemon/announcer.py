"""What is said in the journal and on the console, and how much of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Optional

from agentcheck import console
from agentcheck.daemon import watch
from agentcheck.daemon.allowance import Allowance
from agentcheck.daemon.confirmation import Change
from agentcheck.daemon.journal import INFO, NOTICE, Journal
from agentcheck.model import OK, Live, Report, Result
from agentcheck.render import console as console_text

# Families of checks whose second part is a service.
_OF_SERVICES = ("dns", "hosts", "proxy", "resolver", "tcp", "tls")


class Announcer:
    """Entries and console lines, each kind with an allowance of its own: what checks and the
    console say must never silence a verdict."""

    def __init__(self, journal: Journal, environ: Mapping[str, str]) -> None:
        self._journal, self._environ = journal, environ
        now = time.monotonic()
        self._allowances = {
            "verdict": Allowance(now),
            "check": Allowance(now),
            "reload": Allowance(now, burst=10),
            "state": Allowance(now, burst=20),
            "console": Allowance(now, burst=5),
        }

    def news(self, report: Report, news: watch.News, on_console: bool) -> None:
        """What a round has changed for good: the verdict first."""
        if news.whole is not None:
            self._whole(report, news.whole)
        for result, before in news.checks:
            self._check(report, result, before)
        wanted = news.whole is not None and on_console
        if wanted and self._allowances["console"].take(time.monotonic()):
            console.write(console_text.render(report), self._environ)

    def say(self, allowance: str, event: str, priority: int, message: str, **fields: Any) -> None:
        """One entry, unless too much of its kind was said lately."""
        if not self._allowances[allowance].take(time.monotonic()):
            return
        self._confess(allowance)
        self._journal.entry(event, priority, message, **fields)

    def beat(self, live: Live, run_id: Optional[str]) -> None:
        """That it still watches, and what was left out meanwhile."""
        for allowance in self._allowances:
            self._confess(allowance)
        since = f" since {live.confirmed_since}" if live.confirmed_since else ""
        self._journal.entry(
            "heartbeat",
            INFO,
            f"still {live.confirmed_status} {live.confirmed_verdict}{since}",
            status=live.confirmed_status,
            verdict=live.confirmed_verdict,
            run_id=run_id,
        )

    def _confess(self, allowance: str) -> None:
        held = self._allowances[allowance].confess()
        if held:
            text = f"{held} entries were left out ({allowance}): things change too often"
            self._journal.entry("quiet", NOTICE, text)

    def _whole(self, report: Report, change: Change[watch.Whole]) -> None:
        status, code, services = change.value
        before = change.previous[0] if change.previous else None
        verdict = report.verdict
        recovered = "recovered: " if status == OK and before not in (None, OK) else ""
        self.say(
            "verdict",
            "verdict",
            watch.GRAVITY[status],
            f"{recovered}{status} {code}: {verdict.summary}",
            status=status,
            previous_status=before,
            verdict=code,
            reason=verdict.reason,
            service=list(services),
            run_id=report.run_id,
            summary=verdict.summary,
            remedy=verdict.remedy[0] if verdict.remedy else None,
            doc=verdict.doc,
        )

    def _check(self, report: Report, result: Result, before: Optional[str]) -> None:
        recovered = "recovered: " if result.status == OK else ""
        family, _, service = result.id.partition(".")
        self.say(
            "check",
            "check",
            watch.GRAVITY[result.status],
            f"{recovered}check {result.id} {result.status}: {result.summary}",
            check=result.id,
            status=result.status,
            previous_status=before,
            reason=result.reason,
            verdict=report.verdict.code,
            service=service if family in _OF_SERVICES else None,
            run_id=report.run_id,
        )
