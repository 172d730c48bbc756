"""The console: ASCII, at most 2 KiB with the line ends of a serial line, SUMMARY always whole."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agentcheck.model import Cause
from agentcheck.render.console import render
from tests.render.test_prometheus import CAUSE, REPORT

GOLDEN = """\
agentcheck: FAIL endpoint-blocked
agentcheck: Port 443 of ssm does not answer.
agentcheck: Services: ssm
agentcheck: - Open the port.
agentcheck: Also: role-missing
agentcheck: - Endpoint's side:
agentcheck:   aws ec2 authorize-security-group-ingress --port 443
agentcheck: More: agentcheck explain endpoint-blocked
agentcheck: SUMMARY status=fail verdict=endpoint-blocked instance=i-0123456789abcdef0 \
time=2026-11-25T04:00:00Z
"""
SUMMARY = re.compile(
    r"agentcheck: SUMMARY status=\S+ verdict=\S+ instance=\S+"
    r" time=(-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
)
TEXTS = st.text(max_size=400) | st.text(st.characters(max_codepoint=126), min_size=900)


def assert_fits(text: str) -> None:
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert len(text.replace("\n", "\r\n")) <= 2048
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    assert all(line.startswith("agentcheck: ") for line in lines)
    assert SUMMARY.fullmatch(lines[-1])
    assert sum("SUMMARY" in line for line in lines) >= 1


def test_the_whole_text() -> None:
    assert render(REPORT) == GOLDEN
    assert_fits(GOLDEN)


def test_an_unknown_instance_is_a_dash() -> None:
    last = render(replace(REPORT, instance={"instance_id": None})).splitlines()[-1]
    assert " instance=- " in last


def test_what_does_not_fit_is_left_out_whole() -> None:
    """No command is ever cut in two; what stands for more is still there."""
    commands = [f"aws ec2 do-{number} --filters {'x' * 200}" for number in range(20)]
    cause = replace(CAUSE, remedy=commands)
    text = render(replace(REPORT, verdict=cause, causes=(cause,)))
    assert_fits(text)
    shown = [line for line in text.splitlines() if "aws ec2" in line]
    assert 1 < len(shown) < 20
    assert shown == [f"agentcheck:   {command}" for command in commands[: len(shown)]]
    assert "More: agentcheck explain endpoint-blocked" in text


def test_a_long_summary_leaves_room_for_services_and_the_first_step() -> None:
    cause = replace(CAUSE, summary="word " * 1000)
    text = render(replace(REPORT, verdict=cause, causes=(cause,)))
    assert_fits(text)
    assert " ...\n" in text
    assert "Services: ssm" in text
    assert "Open the port." in text


@given(
    st.builds(
        Cause, TEXTS, TEXTS, TEXTS, st.just(()), st.lists(TEXTS, max_size=9), st.lists(TEXTS)
    ),
    TEXTS,
    TEXTS,
)
def test_whatever_the_report_holds(cause: Cause, instance: str, started: str) -> None:
    report = replace(REPORT, verdict=cause, causes=(cause,) * 3)
    assert_fits(render(replace(report, instance={"instance_id": instance}, started=started)))
