"""`agentcheck status` and `history`: what the daemon left, read by another process."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from agentcheck.daemon import state
from agentcheck.model import HistoryEntry
from agentcheck.render.json import document
from agentcheck.verbs.history import rendered, span
from tests.render.test_prometheus import REPORT
from tests.test_cli import agentcheck, assert_one_line

FIRST = HistoryEntry("2026-11-24T00:00:00Z", "ok", None, "healthy", [], "abc")
THEN = HistoryEntry("2026-11-25T02:14:00Z", "fail", "ok", "endpoint-blocked", ["ssm", "kms"], "def")
NOON = 1795608000.0  # 2026-11-25T12:00:00Z


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = folder / "agentcheck.conf"
    config.write_text(f"[state]\nrun_dir = {folder}\nstate_dir = {folder}\n")
    return agentcheck(*arguments, "--config", str(config))


def left(folder: Path, age: float = 0.0, **more: object) -> Path:
    """The report of a daemon, written so many seconds ago."""
    path = folder / state.REPORT
    path.write_text(json.dumps({**document(REPORT), **more}))
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_the_last_report_is_shown_with_its_age_and_what_was_confirmed(tmp_path: Path) -> None:
    left(tmp_path, 42, confirmed_status="ok", confirmed_since="2026-11-25T00:00:00Z")
    done = call(tmp_path, "status")
    head, _, rest = done.stdout.partition("\n\n")
    assert head.endswith("s old; confirmed: ok since 2026-11-25T00:00:00Z")
    assert rest.startswith("FAIL endpoint-blocked")
    assert done.returncode == 2


@pytest.mark.parametrize(("good_for", "stale"), [(3600, False), (60, True), ("x", False)])
def test_a_report_is_good_for_as_long_as_it_says(
    tmp_path: Path, good_for: object, stale: bool
) -> None:
    left(tmp_path, 300, stale_after_s=good_for)
    done = call(tmp_path, "status", "--format", "json")
    found = json.loads(done.stdout)
    assert found["stale"] is stale
    assert 300 <= found["age_s"] < 400
    assert done.returncode == (3 if stale else 2)
    assert ("STALE" in call(tmp_path, "status").stdout) is stale


@pytest.mark.parametrize("text", [None, "", "{}", '{"schema": "other/1"}', "[1]"])
def test_no_report_is_one_line_and_could_not_tell(tmp_path: Path, text: object) -> None:
    if isinstance(text, str):
        (tmp_path / state.REPORT).write_text(text)
    assert_one_line(call(tmp_path, "status"), 3, state.REPORT, "agentcheck run")


def test_the_history_is_told_newest_first(tmp_path: Path) -> None:
    (tmp_path / state.HISTORY).write_text(state.history_text([FIRST, THEN]))
    done = call(tmp_path, "history")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["endpoint-blocked", "healthy"]
    listed = json.loads(call(tmp_path, "history", "--format", "json").stdout)
    assert listed == [asdict(THEN), asdict(FIRST)]


def test_an_entry_lasts_until_the_next_one() -> None:
    assert rendered([THEN, FIRST], NOON) == (
        "fail endpoint-blocked (ssm, kms) since 2026-11-25 02:14 UTC, for 10 h\n"
        "ok healthy from 2026-11-24 00:00 UTC, for 26 h\n"
    )


def test_without_entries_the_history_says_why(tmp_path: Path) -> None:
    done = call(tmp_path, "history")
    assert done.returncode == 0
    assert "nothing was confirmed yet" in done.stdout


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(42, "42 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_durations_as_people_say_them(seconds: float, expected: str) -> None:
    assert span(seconds) == expected
