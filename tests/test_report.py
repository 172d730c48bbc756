"""A report is owed once a round has begun, whatever breaks inside."""

from __future__ import annotations

from typing import cast

import jsonschema

from agentcheck import report
from agentcheck.checks import Check, Finding
from agentcheck.facts import RoundFacts
from agentcheck.model import OK
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
