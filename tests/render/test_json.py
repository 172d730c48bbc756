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
    {"instance_id": "i-1"}, {"installed": True}, (
        {"service": "ssm", "host": "h", "name": "ok", "proxy": None, "addresses": [
            {"address": "10.0.1.10", "tcp": "ok", "scope": "vpc", "tls": "ok", "error": None,
             "connect_s": 0.1}]},
    ),
)  # fmt: skip


def test_what_is_read_back_renders_to_the_same() -> None:
    assert render(read(json.loads(render(REPORT)))) == render(REPORT)
    assert read(document(REPORT)).status == FAIL


GOOD = document(REPORT)


def cause(**changes: object) -> dict[str, object]:
    return {**GOOD, "verdict": {**GOOD["verdict"], **changes}}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"schema": "other/1"},
        {**GOOD, "checks": [1]},
        {**GOOD, "instance": []},
        {**GOOD, "endpoints": [{}]},
        {**GOOD, "duration_s": "x"},
        {**GOOD, "duration_s": float("nan")},
        {**GOOD, "duration_s": True},
        cause(status="bogus"),
        cause(status=5),
        cause(status=["ok"]),
        cause(services=None),
        cause(remedy=None),
        cause(code=["a"]),
        {**GOOD, "checks": [{**GOOD["checks"][0], "status": "weird"}]},
        {**GOOD, "checks": [{**GOOD["checks"][0], "facts": None}]},
    ],
)
def test_what_is_no_report_is_a_value_error(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not a report|no agentcheck"):
        read(broken)


def test_what_a_newer_version_adds_is_left_out() -> None:
    """An upgraded package makes the next round, before the daemon itself is restarted."""
    newer = {**cause(added=1), "added": {}, "checks": [{**GOOD["checks"][0], "added": 1}]}
    assert read(newer) == read(GOOD)


def test_half_a_character_harms_nobody() -> None:
    assert read(cause(summary="a\ud800b")).verdict.summary == "a?b"
