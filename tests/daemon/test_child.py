"""A round as a child process: what became of it, and what it has from its parent."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from agentcheck.daemon import child


def run(monkeypatch: pytest.MonkeyPatch, code: str) -> child.Round:
    """To the end of a round that runs this in place of agentcheck."""
    monkeypatch.setattr(child, "program", lambda: [sys.executable, "-c", code])
    made = child.Round("", "timer", time.monotonic(), 10, {})
    while not made.read():
        select.select([made.output], [], [], 10)
    made.end(closed=True)
    return made


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        ("print('no report')", "printed no report"),
        ("import os; os.kill(os.getpid(), 9)", "was killed (by the kernel"),
        ("import os; os.abort()", "was ended by signal 6"),
        ("import os, time; os.close(1); time.sleep(60)", "printed no report and was killed"),
    ],
)
def test_what_became_of_a_round_without_a_report_is_told(
    monkeypatch: pytest.MonkeyPatch, code: str, fate: str
) -> None:
    ended = run(monkeypatch, code)
    assert ended.gone
    assert ended.document() is None
    assert ended.fate.startswith(fate)


def test_signals_for_the_daemon_do_not_end_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """systemctl kill sends them to all of the service."""
    code = (
        "import json, os, signal\n"
        "for number in (signal.SIGHUP, signal.SIGUSR1): os.kill(os.getpid(), number)\n"
        "print(json.dumps({'alive': True}))"
    )
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert run(monkeypatch, code).document() == json.loads('{"alive": true}')
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_round_that_cannot_be_started_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*arguments: Any, **how: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    monkeypatch.setattr(subprocess, "Popen", full)
    with pytest.raises(OSError, match="temporarily"):
        child.Round("", "timer", 0.0, 10, {})
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
