"""How much may be said: a flapping network must not flood the journal. Pure."""

from __future__ import annotations

# So many at once, then one more every ten minutes: an outage with all its checks fits, and a day
# of flapping stays below 200 entries.
BURST = 40
EVERY_S = 600.0


class Allowance:
    """A token bucket that also counts what it kept back."""

    def __init__(self, now: float, burst: int = BURST, every_s: float = EVERY_S) -> None:
        self._burst, self._every = burst, every_s
        self._left, self._at = float(burst), now
        self.held_back = 0

    def take(self, now: float) -> bool:
        """Whether one more may be said now."""
        self._left = min(float(self._burst), self._left + max(0.0, now - self._at) / self._every)
        self._at = now
        if self._left < 1:
            self.held_back += 1
            return False
        self._left -= 1
        return True

    def confess(self) -> int:
        """How many were kept back since it was last asked."""
        held, self.held_back = self.held_back, 0
        return held
