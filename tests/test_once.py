"""What is made once: by the first who asks, for all who ask."""

from __future__ import annotations

import threading

import pytest

from agentcheck.once import Cells, Once


def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    asked, go = threading.Event(), threading.Event()
    made = []

    def make() -> object:
        asked.set()
        go.wait(10)
        made.append(object())
        return made[0]

    once = Once(make)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(once.get())) for _ in range(5)]
    for thread in threads:
        thread.start()
    asked.wait(10)
    assert once.peek() is None  # never waits
    go.set()
    for thread in threads:
        thread.join()
    assert got == made * 5
    assert once.peek() is made[0]


def test_everybody_sees_the_error_of_the_one_try() -> None:
    tries = []

    def make() -> None:
        tries.append(1)
        raise OSError("no")

    once = Once(make)
    for _ in range(2):
        with pytest.raises(OSError, match="no"):
            once.get()
    assert len(tries) == 1
    assert once.peek() is None


def test_each_key_has_its_own_and_those_that_failed_are_not_shown() -> None:
    cells = Cells(lambda key: 10 // int(key))
    assert (cells.get("5"), cells.get("2")) == (2, 5)
    with pytest.raises(ZeroDivisionError):
        cells.get("0")
    assert cells.peek() == {"2": 5, "5": 2}
