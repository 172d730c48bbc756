"""A report is owed once a round has begun, whatever breaks inside."""

from __future__ import annotations

import time
from typing import Optional, cast

import jsonschema
import pytest

from agentcheck import report
from agentcheck.checks import Check, Finding
from agentcheck.facts import RoundFacts
from agentcheck.model import OK
from agentcheck.observations import Observed
from agentcheck.render import json
from tests.reports import SCHEMA


class Broken:
    """Facts that cannot be frozen."""

    def observed(self) -> None:
        raise ValueError("secret")


def test_an_error_outside_the_checks_still_ends_in_a_report() -> None:
    check = Check("a", "Is it?", (), (), ("instance",), lambda facts: Finding(OK, "it is"), "a")
    made = report.make(cast(RoundFacts, Broken()), [check], None, 5)
    assert (made.verdict.code, made.verdict.reason) == ("could-not-tell", "internal-error")
    assert [result.id for result in made.checks] == ["a"]
    assert "secret" not in json.render(made)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.document(made))


class Timed:
    """Facts of a machine that is none of EC2, or of an unknown one."""

    def observed(self) -> Observed:
        return Observed(now=time.time())


@pytest.mark.parametrize(
    ("jump", "reason"), [(86400.0, "clock-set"), (-1e9, "clock-set"), (3.0, None)]
)
def test_a_clock_that_is_set_amid_a_round_leaves_no_verdict(
    monkeypatch: pytest.MonkeyPatch, jump: float, reason: Optional[str]
) -> None:
    """Dates from before it and after it would else be compared: credentials seem to have ended."""
    real = time.time

    def look(facts: object) -> Finding:
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        raise ValueError

    check = Check("a", "Is it?", (), (), ("instance",), look, "a")
    made = report.make(cast(RoundFacts, Timed()), [check], None, 5)
    assert made.status == "unknown"
    assert (made.verdict.reason == "clock-set") == (reason == "clock-set")
    jsonschema.Draft202012Validator(SCHEMA).validate(json.document(made))
