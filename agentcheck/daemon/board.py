"""What the daemon shows to others: the last report and what was confirmed. For any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from agentcheck.model import PENDING, HistoryEntry, Live, Report


@dataclass(frozen=True)
class Shown:
    """One moment: the last report, as its object too, and what the daemon knows beyond it.

    `document` is None and `report` too before the first round.
    """

    document: Optional[Mapping[str, Any]]
    report: Optional[Report]
    live: Live


class Board:
    """The newest state; readers get a whole one, never half of two."""

    def __init__(self, stale_after: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._stale_after = stale_after
        self._made_at: Optional[float] = None
        self._shown = Shown(None, None, Live(PENDING, PENDING, "", 0.0, False))

    def publish(
        self, document: Mapping[str, Any], report: Report, live: Live, stale_after: float
    ) -> None:
        """A round has ended."""
        with self._lock:
            self._made_at, self._stale_after = self._clock(), stale_after
            self._shown = Shown(document, report, live)

    def shown(self) -> Shown:
        """The state now, with the age of the report."""
        with self._lock:
            shown, made_at = self._shown, self._made_at
        if made_at is None:
            return shown
        age = max(0.0, self._clock() - made_at)
        return replace(
            shown, live=replace(shown.live, age_s=round(age, 1), stale=age > self._stale_after)
        )

    def history(self) -> Sequence[HistoryEntry]:
        """Newest first."""
        return self.shown().live.history
