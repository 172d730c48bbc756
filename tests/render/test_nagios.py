"""Monitoring plugin output: the status line with perfdata, then what helps."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agentcheck.model import FAIL, OK, PENDING, UNKNOWN, WARN
from agentcheck.render.nagios import render
from tests.render.test_prometheus import CAUSE, REPORT, with_status

GOLDEN = """\
AGENTCHECK CRITICAL - endpoint-blocked: Port 443 of ssm does not answer. | time=3.500s;;;0 \
'ssm_dns'=0.0125s;;;0 'ssm_connect'=3.5000s;;;0
Services: ssm
Evidence: ssm: no answer from 10.0.1.10
Fix: Open the port.
Fix: Endpoint's side: aws ec2 authorize-security-group-ingress --port 443
Also CRITICAL - role-missing: Port 443 of ssm does not answer.
More: agentcheck explain endpoint-blocked
"""


def test_the_whole_output() -> None:
    assert render(REPORT) == GOLDEN


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (OK, "OK"),
        (WARN, "WARNING"),
        (FAIL, "CRITICAL"),
        (UNKNOWN, "UNKNOWN"),
        (PENDING, "UNKNOWN"),
    ],
)
def test_each_status_has_the_plugins_word(status: str, word: str) -> None:
    output = render(with_status(status))
    assert output.startswith(f"AGENTCHECK {word} - some-code: ")
    assert (len(output.splitlines()) == 1) == (status == OK)


def test_perfdata_is_as_monitoring_plugins_write_it() -> None:
    """'label'=value[unit];[warn];[crit];[min];[max], separated by blanks."""
    first = render(REPORT).splitlines()[0]
    _, bar, perfdata = first.partition(" | ")
    assert bar
    for item in perfdata.split(" "):
        assert re.fullmatch(r"('[^'=]+'|[^ '=]+)=-?[0-9.]+s(;[0-9.]*){0,4}", item)


def test_no_text_passes_for_perfdata_or_another_line() -> None:
    """A bar would begin perfdata, and a line end the long output."""
    nasty = replace(CAUSE, summary="a|b\nc", evidence=["d|e\rf"], remedy=["g|h"], services=["i|j"])
    endpoint = {**REPORT.endpoints[0], "service": "s'=|x"}
    checks = [replace(REPORT.checks[3], id="dns.s'=|x")]
    lines = render(
        replace(REPORT, verdict=nasty, causes=(nasty,), endpoints=(endpoint,), checks=checks)
    ).split("\n")
    assert lines[0] == (
        "AGENTCHECK CRITICAL - endpoint-blocked: a/b?c | time=3.500s;;;0 's/x_dns'=0.0125s;;;0"
    )
    assert "|" not in "".join(lines[1:])
    assert len(lines) == 5 + 1


def test_a_long_summary_leaves_room_for_perfdata() -> None:
    first = render(with_status(FAIL)).splitlines()[0]
    long = replace(CAUSE, summary="word " * 1000)
    cut = render(replace(REPORT, verdict=long, causes=(long,))).splitlines()[0]
    assert len(cut.encode()) < 1024
    assert " ... | time=" in cut
    assert cut.partition(" | ")[2] == first.partition(" | ")[2]
