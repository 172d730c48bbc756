"""The words of every verdict: what changes them is seen, in wording.txt."""

from __future__ import annotations

from tests.diagnosis import wording


def test_the_words_of_every_world_are_those_on_record() -> None:
    """`python -m tests.diagnosis.wording` records them anew.

    One test, so that whoever runs it a thousand times has one thing to collect.
    """
    recorded = wording.recorded()
    for name, world in wording.ALL.items():
        assert wording.said(name, world) == recorded[name]
    assert list(recorded) == list(wording.ALL)
