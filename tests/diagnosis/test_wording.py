"""The words of every verdict: what changes them is seen, in wording.txt."""

from __future__ import annotations

import pytest

from tests.diagnosis import wording


def test_no_world_is_left_in_the_record_that_is_gone() -> None:
    assert list(wording.recorded()) == list(wording.ALL)


@pytest.mark.parametrize("name", wording.ALL)
def test_the_words_are_those_on_record(name: str) -> None:
    """`python -m tests.diagnosis.wording` records them anew."""
    assert wording.said(name, wording.ALL[name]) == wording.recorded()[name]
