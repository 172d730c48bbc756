"""A change counts once it was seen N times in a row, both ways: one blip is no news. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Optional, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Change(Generic[T]):
    """A confirmed change. `since` is when the new value was first seen (epoch seconds)."""

    previous: Optional[T]
    value: T
    since: float


class Confirmation(Generic[T]):
    """The confirmed value, None before the first; `candidate` is what may become it."""

    def __init__(self, needed: int, value: Optional[T] = None, since: float = 0.0) -> None:
        self.needed = needed
        self.value, self.since = value, since
        self._candidate: Optional[T] = None
        self._count = 0
        self._first_seen = 0.0

    @property
    def pending(self) -> bool:
        """Whether something else than the confirmed value was seen last."""
        return self._count > 0

    def see(self, value: T, now: float) -> Optional[Change[T]]:
        """A round saw `value`; returns the change that this confirms."""
        if value == self.value:
            self._candidate, self._count = None, 0
            return None
        if value != self._candidate:
            self._candidate, self._count, self._first_seen = value, 0, now
        self._count += 1
        if self._count < self.needed:
            return None
        change = Change(self.value, value, self._first_seen)
        self.value, self.since = value, self._first_seen
        self._candidate, self._count = None, 0
        return change
