"""The files of the daemon: whole or not at all, whatever happens to the writer or the disk."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentcheck import whole_file
from agentcheck.daemon import state
from agentcheck.model import HistoryEntry

ENTRY = HistoryEntry("2026-11-25T00:00:00Z", "fail", "ok", "role-missing", ["ssm"], "abc")
WRITER = """
import sys
from pathlib import Path
from agentcheck import whole_file
folder = Path(sys.argv[1])
number = 0
print("started", flush=True)
while True:
    number += 1
    text = '{"number": %d, "filler": "%s"}' % (number, "x" * 50000)
    whole_file.write(folder / "report.json", text)
"""


def test_what_is_written_is_read_back_and_open_to_all(tmp_path: Path) -> None:
    whole_file.write(tmp_path / state.HISTORY, state.history_text([ENTRY, ENTRY]))
    assert state.read_history(tmp_path, 1000) == [ENTRY, ENTRY]
    assert (tmp_path / state.HISTORY).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("seed", range(50))
def test_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path, seed: int) -> None:
    """Fifty seeded moments."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(state.__file__).parents[2])},
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.0, 0.05))
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    if (tmp_path / state.REPORT).exists():
        assert json.loads((tmp_path / state.REPORT).read_text())["number"] >= 1
    state.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {state.REPORT}


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is full at any byte."""
    whole_file.write(tmp_path / state.REPORT, '{"old": 1}')

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        whole_file.write(tmp_path / state.REPORT, '{"new": 1}')
    assert state.read_report(tmp_path) == {"old": 1}
    assert [path.name for path in tmp_path.iterdir()] == [state.REPORT]


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / f".{state.REPORT}.{os.getpid()}").symlink_to(target)
    whole_file.write(tmp_path / state.REPORT, "{}")
    assert target.read_text() == "precious"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1, 2]",
        '[{"time": 1}]',
        "null",
        '{"a": 1}',
        "\x00\xff",
        "[" * 100000,
        '[{"time": "t", "status": "ok", "verdict": "v", "run_id": "r", "services": [1]}]',
        '[{"time": "\\u001b[2J", "status": "ok", "verdict": "v", "run_id": "r", "services": []}]',
    ],
)
def test_a_broken_history_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / state.HISTORY).write_text(text)
    assert state.read_history(tmp_path, 1000) == []


def test_neither_a_pipe_nor_nothing_holds_the_reader(tmp_path: Path) -> None:
    assert state.read_report(tmp_path) is None
    os.mkfifo(tmp_path / state.REPORT)
    assert state.read_report(tmp_path) is None


def test_an_entry_of_a_newer_version_is_read_without_what_it_added(tmp_path: Path) -> None:
    newer = json.dumps([{**dataclasses.asdict(ENTRY), "added": 1}])
    (tmp_path / state.HISTORY).write_text(newer)
    assert state.read_history(tmp_path, 1000) == [ENTRY]


@pytest.mark.parametrize("jump", [86400.0, -86400.0, -1.7e9])
def test_the_age_of_a_report_is_not_that_of_the_wall_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """Else a report is stale that is new, or the report of a dead daemon fresh for a day."""
    written = {**state.written()}
    whole_file.write(tmp_path / state.REPORT, json.dumps(written))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    assert state.age(tmp_path, written) < 60
    written["uptime_s"] -= 5000.0
    assert 5000 <= state.age(tmp_path, written) < 5060


@pytest.mark.parametrize("stamp", [{}, {"boot_id": "another", "uptime_s": 1.0}, {"uptime_s": "x"}])
def test_the_report_of_another_boot_is_as_old_as_its_file(
    tmp_path: Path, stamp: dict[str, object]
) -> None:
    whole_file.write(tmp_path / state.REPORT, "{}")
    os.utime(tmp_path / state.REPORT, (0, time.time() - 3000))
    assert 3000 <= state.age(tmp_path, stamp) < 3060


def test_whoever_touches_a_file_makes_it_another(tmp_path: Path) -> None:
    path = tmp_path / state.HISTORY
    assert state.identity(path) is None
    whole_file.write(path, "[]")
    seen = state.identity(path)
    assert seen is not None
    assert state.identity(path) == seen
    whole_file.write(path, "[]")
    assert state.identity(path) != seen
