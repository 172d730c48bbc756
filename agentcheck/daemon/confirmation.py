"""A change counts once it was seen N times in a row, both ways: one blip is no news. Pure."""

from __future__ import annotations

from collections.abc import Callable
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
    """The confirmed value, None before the first.

    `group` says what belongs together: rounds that fail in turn in two ways agree that it fails,
    and the newest way is then confirmed. `doubtful` counts the rounds since that saw another value
    than the confirmed one.
    """

    def __init__(self, needed: int, group: Callable[[T], object]) -> None:
        self.needed = needed
        self.value: Optional[T] = None
        self.since = 0.0
        self.doubtful = 0
        self._group = group
        self._candidate: Optional[T] = None
        self._count = 0
        self._first_seen = 0.0

    def see(self, value: T, now: float) -> Optional[Change[T]]:
        """A round saw `value`; returns the change that this confirms."""
        if value == self.value:
            self._candidate, self._count, self.doubtful = None, 0, 0
            return None
        if self._candidate is None or self._group(value) != self._group(self._candidate):
            self._count, self._first_seen = 0, now
        self._candidate = value
        self._count += 1
        self.doubtful += 1
        if self._count < self.needed:
            return None
        change = Change(self.value, value, self._first_seen)
        self.value, self.since = value, self._first_seen
        self._candidate, self._count, self.doubtful = None, 0, 0
        return change

    @property
    def begins(self) -> bool:
        """Whether the last round was the first to see what it saw."""
        return self._count == 1
