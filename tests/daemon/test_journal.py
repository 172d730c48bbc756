"""Entries wait for a journal that is away, in order and bounded, and never hold who has them."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from agentcheck.daemon import journal


class Away:
    """A journal that refuses with an error until it is back."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.back = threading.Event()
        self.tried = threading.Event()
        self.took: list[str] = []

    def __call__(self, message: str, **fields: Mapping[str, Any]) -> None:
        self.tried.set()
        if not self.back.is_set():
            raise self.error
        self.took.append(message)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "AGAIN_S", 0.01)


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ECONNREFUSED, errno.EMFILE, errno.ENOBUFS])
def test_what_is_told_meanwhile_is_told_afterwards_in_its_order(number: int) -> None:
    away = Away(OSError(number, "away"))
    made = journal.Journal(away)
    for text in ("one", "two", "three"):
        made.entry("check", journal.INFO, text)
    assert away.tried.wait(5)
    away.back.set()
    made.flush(5)
    assert away.took == ["one", "two", "three"]


def test_the_newest_are_kept_when_it_is_away_for_long() -> None:
    away = Away(ConnectionRefusedError(errno.ECONNREFUSED, "away"))
    made = journal.Journal(away)
    for number in range(journal.MOST_WAITING * 3):
        made.entry("check", journal.INFO, str(number))
    away.back.set()
    made.flush(5)
    assert len(away.took) <= journal.MOST_WAITING + 1
    assert away.took[-1] == str(journal.MOST_WAITING * 3 - 1)
    assert away.took == sorted(away.took, key=int)


@pytest.mark.parametrize("error", [OSError(errno.EMSGSIZE, "x"), TypeError("x"), MemoryError()])
def test_an_entry_that_can_never_be_sent_holds_no_other(error: Exception) -> None:
    away = Away(error)
    made = journal.Journal(away)
    made.entry("check", journal.INFO, "bad")
    made.flush(5)
    away.back.set()
    made.entry("check", journal.INFO, "good")
    made.flush(5)
    assert away.took == ["good"]
