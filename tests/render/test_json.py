"""The JSON report is read back as it was written."""

from __future__ import annotations

import json

import pytest

from agentcheck.model import FAIL, OK, Cause, Note, Report, Result
from agentcheck.render.json import document, read, render

CAUSE = Cause("role-missing", FAIL, "No role.", ["evidence"], ["remedy"], ("ssm",), "no-profile")
REPORT = Report(
    "0.1.0", "abc", "2026-11-25T00:00:00.000Z", 0.5, "timer", "instance", True, CAUSE, (CAUSE,),
    (Note("dead-ipv6", "text"),), (Result("imds", OK, "fine", facts={"a": 1}),),
    {"instance_id": "i-1"}, {"installed": True}, ({"service": "ssm"},),
)  # fmt: skip


def test_what_is_read_back_renders_to_the_same() -> None:
    assert render(read(json.loads(render(REPORT)))) == render(REPORT)
    assert read(document(REPORT)).status == FAIL


@pytest.mark.parametrize("broken", [{}, {"schema": "other/1"}, {**document(REPORT), "checks": [1]}])
def test_what_is_no_report_is_a_value_error(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not a report|is not agentcheck"):
        read(broken)
