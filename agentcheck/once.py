"""Values that are made once, at the first question."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Optional, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """A value made at the first question; who asks meanwhile waits for the same answer."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._done = False
        self._value: Optional[T] = None
        self._error: Optional[Exception] = None

    def get(self) -> T:
        with self._lock:
            if not self._done:
                try:
                    self._value = self._make()
                except Exception as error:  # noqa: BLE001 - every check that asks shall see it
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set when there is no error

    def peek(self) -> Optional[T]:
        """The value if it was made; never waits."""
        return self._value if self._done else None


class Cells(Generic[T]):
    """One such value for each key."""

    def __init__(self, make: Callable[[str], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._cells: dict[str, Once[T]] = {}

    def get(self, key: str) -> T:
        """The key's value; made at the first question for it."""
        with self._lock:
            cell = self._cells.setdefault(key, Once(lambda: self._make(key)))
        return cell.get()

    def peek(self) -> dict[str, T]:
        """Those that were made, by key in order; never waits."""
        with self._lock:
            cells = sorted(self._cells.items())
        return {key: value for key, cell in cells if (value := cell.peek()) is not None}
