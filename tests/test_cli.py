"""The command line: one line for every mistake, nothing on stdout then, documented statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import pytest

from agentcheck.diagnosis import CODES, ROWS
from agentcheck.settings import SETTINGS

ROOT = Path(__file__).parent.parent


def agentcheck(
    *arguments: str, env: Optional[Mapping[str, str]] = None
) -> subprocess.CompletedProcess[str]:
    """The command as a user starts it. Only for what touches no network."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    command = [sys.executable, "-m", "agentcheck", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)


def assert_one_line(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("agentcheck: ")
    for word in words:
        assert word in done.stderr


def test_what_a_script_has_started_before_it_became_agentcheck_is_left_alone() -> None:
    script = (
        "sleep 60 >/dev/null 2>&1 & echo $! >&2;"
        ' exec "$0" -m agentcheck run --profile image --format json'
    )
    done = subprocess.run(
        ["sh", "-c", script, sys.executable],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    other = int(done.stderr.split()[0])
    try:
        assert json.loads(done.stdout)["profile"] == "image"
        assert Path(f"/proc/{other}/comm").read_text() == "sleep\n"
    finally:
        os.kill(other, 9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("VERB",)),
        (("nonsense",), ("nonsense", "run", "explain")),
        (("run", "--nonsense"), ("--nonsense",)),
        (("run", "--form", "json"), ("--form",)),
        (("run", "--format", "yaml"), ("yaml", "text", "json")),
        (("run", "--only", "nonsense"), ("nonsense", "tcp.ssm", "imds")),
        (("run", "--only", "tcp.[z-a]"), ("tcp.[z-a]", "tcp.ssm")),
        (("run", "--skip", "imds,nonsense"), ("nonsense", "tcp.ssm")),
        (("run", "--only", "imds", "--skip", "*"), ("no check",)),
        (("run", "--wait", "5 parsecs"), ("5 parsecs", "90s")),
        (("run", "--output", "/"), ("--output /", "folder")),
        (("run", "--output", "/nowhere/x"), ("/nowhere", "exists")),
        (("run", "--fail-on", "ok"), ("warn", "fail")),
        (("explain", "nonsense"), ("nonsense", "healthy", "endpoint-blocked")),
    ],
)
def test_a_wrong_command_line_is_64(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_one_line(agentcheck(*arguments), 64, *words)


@pytest.mark.parametrize("verb", ["run", "list", "config"])
def test_a_wrong_configuration_is_78(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "agentcheck.conf"
    path.write_text("[run]\ndeadline = 5 parsecs\n")
    done = agentcheck(verb, "--config", str(path))
    assert_one_line(done, 78, f"{path}:2:", "5 parsecs", "90s")
    assert_one_line(
        agentcheck(verb, env={"AGENTCHECK_RUN_DEADLINE": "5 parsecs"}),
        78,
        "AGENTCHECK_RUN_DEADLINE",
        "5 parsecs",
    )


def test_config_prints_every_setting_and_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "agentcheck.conf"
    path.write_text("[run]\ndeadline = 7s\n")
    done = agentcheck("config", "--config", str(path), "--format", "json")
    rows = json.loads(done.stdout)
    assert [(row["section"], row["key"]) for row in rows] == [(s.section, s.key) for s in SETTINGS]
    (deadline,) = [row for row in rows if row["key"] == "deadline"]
    assert (deadline["value"], deadline["origin"]) == ("7s", str(path))
    checked = agentcheck("config", "--check", "--config", str(path))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_what_config_prints_is_a_valid_configuration(tmp_path: Path) -> None:
    lines = agentcheck("config").stdout.splitlines()
    path = tmp_path / "printed.conf"
    path.write_text("".join(line.split("  #")[0].rstrip() + "\n" for line in lines))
    assert agentcheck("config", "--check", "--config", str(path)).returncode == 0


def test_list_names_the_checks_their_needs_and_profiles() -> None:
    rows = {row["id"]: row for row in json.loads(agentcheck("list", "--format", "json").stdout)}
    assert rows["tls.ssm"]["requires"] == ["imds", "tcp.ssm"]
    assert rows["agent.installed"]["profiles"] == ["instance", "image"]
    assert all(row["question"].endswith("?") for row in rows.values())
    assert list(rows) == [line.split()[0] for line in agentcheck("list").stdout.splitlines()[::2]]


@pytest.mark.parametrize("code", ROWS)
def test_explain_says_what_a_code_means_and_how_to_fix_it(code: str) -> None:
    document = json.loads(agentcheck("explain", code, "--format", "json").stdout)
    assert document["code"] == code
    assert all(len(text) > 3 for text in document.values())
    text = agentcheck("explain", code).stdout
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_explain_lists_the_codes_in_their_order() -> None:
    lines = agentcheck("explain").stdout.splitlines()
    listed = [line.split()[0] for line in lines]
    assert listed == [code for code in CODES if code in ROWS]
    assert max(map(len, lines)) <= 80


def test_help_and_version() -> None:
    assert agentcheck("--version").stdout.startswith("agentcheck ")
    done = agentcheck("run", "--help")
    assert done.returncode == 0
    assert "--only" in done.stdout


@pytest.mark.parametrize(
    ("redirection", "word"), [(">&-", "closed"), (">/dev/full", "No space left")]
)
def test_a_stdout_that_takes_nothing_is_one_clear_line(redirection: str, word: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m agentcheck explain {redirection}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert_one_line(done, 3, word)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m agentcheck explain | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr == ""
