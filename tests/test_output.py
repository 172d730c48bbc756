"""Where text goes: stdout that may be closed, and the console of the machine."""

from __future__ import annotations

import io
import os
import pty
import sys
from pathlib import Path

import pytest

from agentcheck import console
from agentcheck.model import OutputError
from agentcheck.output import complain, emit

AS_A_SERVICE = {"JOURNAL_STREAM": "8:12345"}


def test_a_closed_stdout_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="--output"):
        emit("text")


def test_what_stdout_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    emit("é")
    assert raw.getvalue() == b"\\xe9"


def test_without_a_stderr_a_complaint_is_lost_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    complain("nobody listens")
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stderr", gone)
    complain("nobody listens")


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine whose console may not be opened; its command line is the file."""
    line = tmp_path / "cmdline"
    monkeypatch.setattr(console, "CONSOLE", tmp_path / "nowhere" / "console")
    monkeypatch.setattr(console, "SERIAL", tmp_path / "ttyS0")
    monkeypatch.setattr(console, "COMMAND_LINE", line)
    return line


def test_a_service_that_may_not_open_the_console_lets_systemd_write_there(
    no_device: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert console.write("agentcheck: line\n", AS_A_SERVICE)
    assert capsys.readouterr().out == "agentcheck: line\n"
    assert not console.write("agentcheck: line\n", {})  # stdout is for something else
    assert capsys.readouterr().out == ""
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stdout", gone)
    assert not console.write("agentcheck: line\n", AS_A_SERVICE)


@pytest.mark.parametrize(
    ("line", "serial"),
    [
        ("console=ttyS0 console=tty0", True),
        ("console=ttyS0,115200 console=tty0", True),
        ("console=tty0 console=ttyS0", False),  # then /dev/console is that
        ("quiet", False),
    ],
)
def test_the_serial_line_is_written_to_where_it_is_not_the_console(
    no_device: Path, line: str, serial: bool
) -> None:
    no_device.write_text(line)
    console.SERIAL.touch()
    assert console.write("agentcheck: line\n", {}) is serial
    assert console.SERIAL.read_bytes() == (b"agentcheck: line\r\n" if serial else b"")


def test_a_terminal_that_ends_lines_itself_gets_no_second_return(
    no_device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setattr(console, "CONSOLE", Path(os.ttyname(theirs)))
    assert console.write("agentcheck: line\n", {})
    assert os.read(ours, 100) == b"agentcheck: line\r\n"
    os.close(theirs)
    os.close(ours)


def test_a_line_that_takes_nothing_is_given_up(
    no_device: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    monkeypatch.setattr(console, "CONSOLE", pipe)
    monkeypatch.setattr(console, "PATIENCE_S", 0.05)
    assert not console.write("x" * (1 << 21), {})  # more than a pipe holds
    os.close(reader)
