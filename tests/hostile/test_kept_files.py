"""Files that agentcheck itself reads back, and settings: any bytes, any size, and never a crash."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentcheck import settings
from agentcheck.daemon import state, watch
from agentcheck.files import parse_json
from agentcheck.model import OK, AgentcheckError, HistoryEntry, Live, Report
from agentcheck.observations import Permission
from agentcheck.probes import permission_memory
from agentcheck.render import FORMATS, console, renderer
from agentcheck.render import json as json_text
from tests.hostile.measure import PEAK_KIB, START_UP_S
from tests.hostile.rubbish import examples
from tests.hostile.test_host_parsers import DEEP, JSON, LONG_NUMBER

LIVE = Live("ok", "healthy", "2026-11-25T00:00:00Z", 1.0, False)
LOST = watch.lost(None, "1.0.0", "abc", 1_800_000_000.0, "printed no report")
DOCUMENT = json.loads(json.dumps(json_text.document(LOST)))
DOCUMENT["endpoints"] = [
    {"service": "ssm", "host": "h", "port": 443, "required": True, "why": "w", "name": "ok",
     "private": True, "proxy": None, "addresses": [
         {"address": "10.0.1.10", "scope": "vpc", "same_subnet": False, "tcp": "ok",
          "connect_s": 0.1, "tls": "ok", "error": None}]}
]  # fmt: skip
DOCUMENT["checks"] = [
    {"id": "tcp.ssm", "status": "ok", "reason": None, "summary": "s", "target": None,
     "facts": {}, "caused_by": None, "started": None, "duration_s": 0.1, "phases": {"tcp": 0.1}}
]  # fmt: skip
DOCUMENT["notes"] = [{"code": "c", "text": "t"}]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a document."""
    if not isinstance(value, (dict, list)):
        return []
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, part in inner:
        found += [(*path, key), *_places(part, (*path, key))]
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A report with some values replaced by others, or gone."""
    document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    for place in draw(st.lists(st.sampled_from(_places(DOCUMENT)), min_size=1, max_size=4)):
        parent: Any = document
        try:
            for key in place[:-1]:
                parent = parent[key]
            if draw(st.booleans()):
                parent[place[-1]] = draw(JSON)
            else:
                del parent[place[-1]]
        except (LookupError, TypeError):
            continue  # another change took it away
    return document


@examples(250)
@given(mutated())
def test_what_is_read_as_a_report_can_be_shown_in_every_format(document: dict[str, Any]) -> None:
    try:
        report = json_text.read(document)
    except ValueError:
        return
    for name in FORMATS:
        text = renderer(name)(report)
        assert text.encode("utf-8")
        assert name == "json" or text.replace("\n", "").isprintable(), name
    _shown_by_the_daemon(report)


def _shown_by_the_daemon(report: Report) -> None:
    from agentcheck.render import html, prometheus

    assert prometheus.render(report, LIVE)
    assert html.render(report, LIVE)
    assert console.render(report).isascii()
    shown, _ = watch.Watch(1, []).see(report, 1_800_000_000.0, booting=False)
    assert json_text.dump(json_text.document(shown))


HISTORY = st.lists(
    st.sampled_from([b"[", b"]", b"\n", b",", b'{"time": "t"}', b"null"]) | st.binary(max_size=20),
    max_size=20,
).map(b"".join)
ENTRY = HistoryEntry("2026-11-25T00:00:00Z", "fail", "ok", "role-missing", ["ssm"], "abc")


@examples(60)
@given(HISTORY)
@example(DEEP)
@example(LONG_NUMBER)
def test_any_history_is_read_and_of_a_large_one_the_newest_entries(
    tmp_path: Path, raw: bytes
) -> None:
    (tmp_path / state.HISTORY).write_bytes(raw)
    assert state.read_history(tmp_path, 10) == []
    text = state.history_text([ENTRY] * 12)
    (tmp_path / state.HISTORY).write_bytes(raw + b"\n" + text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "MAX_FILE", 100)
        assert state.read_history(tmp_path, 10) == [ENTRY] * 10


REMEMBERED = permission_memory.Remembered(5.0, "role", Permission("ok"))
KEPT = json.dumps(
    {"asked": 5.0, "role": "role", "permission": {"state": "ok", "clock_offset_s": 1.0}}
)


@examples(100)
@given(st.sampled_from(["asked", "role", "permission", "state", "clock_offset_s"]), JSON)
@example("asked", 10**400)
@example("clock_offset_s", 10**400)
@example("asked", math.nan)
def test_any_remembered_answer_is_one_or_none(tmp_path: Path, key: str, value: Any) -> None:
    document = json.loads(KEPT)
    (document if key in document else document["permission"])[key] = value
    (tmp_path / permission_memory.NAME).write_text(json.dumps(document))
    kept = permission_memory.read(tmp_path)
    assert kept is None or isinstance(kept.holds("role", 10.0, None), bool)


INI = st.lists(
    st.sampled_from(
        [
            "[run]\n", "[daemon]\n", "[state]\n", "[\0]\n", "deadline", "confirm", "run_dir", "=",
            ":", " ", "\t", "\n", "\r", "10s", "/run/x", "\x0b", "\u2028", "#", ";", "\0", "]", "%",
        ]
    )
    | st.text(max_size=6),
    max_size=25,
).map("".join)  # fmt: skip


@examples(150)
@given(INI)
@example("[state]\nrun_dir = /a\0b\n")
@example("[\0]\nx = 1\n")
@example("[run]\na" + " " * 60_000 + "b\n")
@example("[endpoints]\nrequired = " + " ".join(f"s{number}" for number in range(20_000)))
def test_any_settings_are_taken_as_they_are_or_refused_in_a_line(tmp_path: Path, text: str) -> None:
    place = tmp_path / "agentcheck.conf"
    place.write_bytes(text.encode("utf-8", "replace"))
    complaint = ""
    try:
        loaded = settings.load(place)
    except AgentcheckError as error:
        complaint = str(error)
    if complaint:
        assert complaint.startswith(str(place))
        return
    # What the daemon hands to a round is the same, and every path can be opened.
    (tmp_path / "frozen").write_bytes(loaded.as_ini().encode())
    again = settings.load(tmp_path / "frozen")
    assert [e.value for e in again.all()] == [e.value for e in loaded.all()]
    assert not os.path.lexists(loaded["state", "run_dir"] + "/nobody has made this")


@pytest.mark.parametrize("variable", ["AGENTCHECK_STATE_RUN_DIR", "AGENTCHECK_STATE_TEXTFILE"])
def test_half_a_character_in_a_variable_is_a_configuration_error(variable: str) -> None:
    with pytest.raises(AgentcheckError, match="not printable"):
        settings.load(None, {variable: "/run/\udcff"})


@examples(60)
@given(st.text())
@example("9" * 100_000)
def test_a_number_of_any_length_is_a_number(text: str) -> None:
    digits = "".join(char for char in text if char in "0123456789").lstrip("0") or "7"
    assert isinstance(parse_json(digits), (int, float))
    assert parse_json(digits[:18]) == int(digits[:18])


# Runs one command with limited patience; a place of memory is its largest process.
_LIMITED = """
import os, resource, signal, sys
child = os.fork()
if child == 0:
    signal.alarm(int(sys.argv[1]))
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 200 + os.WTERMSIG(status))
"""


def command(*arguments: str, **how: Any) -> tuple[int, str, list[str]]:
    """Exit status, stdout and the lines of stderr; it held its promise of memory and time."""
    limit = str(math.ceil(2 * START_UP_S))
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, limit, "-m", "agentcheck", *arguments],
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
        **how,
    )
    *lines, peak = done.stderr.splitlines()
    assert done.returncode != 200 + signal.SIGALRM, "too slow"
    assert int(peak) < PEAK_KIB
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    return done.returncode, done.stdout, lines


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 10 << 30)


def _fat(path: Path) -> None:
    """Of all JSON this takes most memory for its size."""
    path.write_text("[" + "{}," * 350_000 + "{}]")


HOSTILE: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "folder": os.mkdir,
    "loop": lambda path: path.symlink_to(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "10 GiB": _sparse,
    "fat": _fat,
    "deep": lambda path: path.write_bytes(DEEP * 10) and None,
}


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    return HOSTILE[request.param]


def test_status_history_and_config_bear_any_file(
    tmp_path: Path, hostile: Callable[[Path], None]
) -> None:
    for name in (state.REPORT, state.HISTORY, "agentcheck.conf"):
        hostile(tmp_path / name)
    env = {
        **os.environ,
        "AGENTCHECK_STATE_RUN_DIR": str(tmp_path),
        "AGENTCHECK_STATE_STATE_DIR": str(tmp_path),
    }
    status, printed, complaint = command("status", env=env)
    assert (status, printed, len(complaint)) == (3, "", 1)
    assert command("history", env=env)[0] == 0
    status, printed, complaint = command("config", "--config", str(tmp_path / "agentcheck.conf"))
    assert (status, printed, len(complaint)) == (78, "", 1)


@pytest.mark.parametrize("good_for", ["NaN", "Infinity", "1e300", "-1", '"x"', "9" * 400, "true"])
def test_an_old_report_is_stale_whatever_it_says_of_itself(tmp_path: Path, good_for: str) -> None:
    text = json.dumps({**DOCUMENT, "stale_after_s": 7777777, "confirmed_status": "\x1b[31mok"})
    (tmp_path / state.REPORT).write_text(text.replace("7777777", good_for))
    os.utime(tmp_path / state.REPORT, (1e9, 1e9))
    status, printed, _ = command(
        "status", env={**os.environ, "AGENTCHECK_STATE_RUN_DIR": str(tmp_path)}
    )
    assert status == 3
    assert "\x1b" not in printed
    assert not printed or "STALE" in printed


@pytest.mark.parametrize("rubbish", ["", "\x1b[31m", "x" * 100_000, "healthy\n", "\udcff", "--"])
def test_rubbish_to_explain_is_a_usage_error_in_one_line(rubbish: str) -> None:
    status, printed, complaint = command("explain", "--format=json", "--", rubbish)
    assert (status, printed, len(complaint)) == (64, "", 1)
    assert complaint[0].isprintable()


CONSOLE = {
    "10 GiB": _sparse,
    "words": lambda path: path.write_text("ab " * 3_000_000) and None,
    "lines": lambda path: path.write_text("ab\n" * 3_000_000) and None,
    "fat": lambda path: path.write_text("[" + "{}," * 1_000_000 + "{}]") and None,
    "texts": lambda path: path.write_text("[" + '"ab",' * 1_000_000 + '""]') and None,
    "base64": lambda path: path.write_text("QUJD" * 2_000_000) and None,
    "summaries": lambda path: path.write_text("agentcheck: SUMMARY status=" * 300_000) and None,
}


@pytest.mark.parametrize("name", CONSOLE)
def test_read_console_bears_any_file(tmp_path: Path, name: str) -> None:
    CONSOLE[name](tmp_path / "console")
    status, printed, complaint = command("read-console", str(tmp_path / "console"))
    assert (status, printed, len(complaint)) == (3, "", 1)


def test_a_good_status_is_shown_as_such(tmp_path: Path) -> None:
    """The control of the tests above: with a report that is whole they would fail."""
    good = {**DOCUMENT, "status": OK, "verdict": {**DOCUMENT["verdict"], "status": OK}}
    (tmp_path / state.REPORT).write_text(json.dumps(good))
    env = {**os.environ, "AGENTCHECK_STATE_RUN_DIR": str(tmp_path)}
    status, printed, _ = command("status", env=env)
    assert status == 0
    assert "confirmed: ok" in printed
