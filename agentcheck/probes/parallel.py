"""Side by side in daemon threads: a thread stuck in C code must never hold the exit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, Optional, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")


class Task(Generic[T]):
    """One call in a daemon thread of its own."""

    def __init__(self, call: Callable[[], T], name: str) -> None:
        self._call = call
        self._value: Optional[T] = None
        self._error: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001 - handed over to whoever asks for the result
            self._error = error

    def finished(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds; False when the call still runs."""
        self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()

    def result(self) -> T:
        """The call's value, or its exception. Only after `finished` said True."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set when there is no error


def side_by_side(
    call: Callable[[Item], T], items: Sequence[Item], name: str, limit: float
) -> list[Optional[T]]:
    """Calls it for every item at once; None for those not done within `limit` seconds in all."""
    tasks = [Task(partial(call, item), name) for item in items]
    end = time.monotonic() + limit
    return [task.result() if task.finished(end - time.monotonic()) else None for task in tasks]
