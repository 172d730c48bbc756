"""What the daemon tells others with: the journal's two back ends, and the service manager."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentcheck import console
from agentcheck.daemon import journal, watch
from agentcheck.daemon.announcer import Announcer
from agentcheck.daemon.confirmation import Change
from agentcheck.daemon.journal import WARNING, Journal
from agentcheck.daemon.service_manager import ServiceManager
from agentcheck.model import FAIL, OK, PENDING, Live, Result
from tests.render.test_json import REPORT

Entries = list[tuple[str, dict[str, Any]]]
LIVE = Live(OK, "healthy", "", 0.0, False)


def announcer() -> tuple[Announcer, Callable[[], Entries]]:
    """One whose entries are kept, and what tells them."""
    entries: Entries = []
    kept = Journal(lambda message, **fields: entries.append((message, fields)))

    def said() -> Entries:
        kept.flush(5)
        return entries

    return Announcer(kept, {}), said


def test_an_entry_has_its_id_and_its_fields_and_none_that_are_empty() -> None:
    told, said = announcer()
    told.say("check", "reload", WARNING, "text", status="ok", reason="", service=None, run_id="abc")
    assert said() == [
        (
            "text",
            {
                "PRIORITY": 4,
                "MESSAGE_ID": journal.MESSAGE_IDS["reload"],
                "SYSLOG_IDENTIFIER": "agentcheck",
                "AGENTCHECK_STATUS": "ok",
                "AGENTCHECK_RUN_ID": "abc",
            },
        )
    ]


def test_a_check_names_its_service_only_where_it_is_about_one() -> None:
    told, said = announcer()
    news = [(Result("tcp.ssm", FAIL, "silent"), OK), (Result("agent.log", OK, "fine"), FAIL)]
    told.news(REPORT, watch.News(None, news), on_console=False)
    (one, fields), (other, more) = said()
    assert (one, fields["PRIORITY"]) == ("check tcp.ssm fail: silent", 3)
    assert fields["AGENTCHECK_SERVICE"] == "ssm"
    assert (other, more["PRIORITY"]) == ("recovered: check agent.log ok: fine", 6)
    assert "AGENTCHECK_SERVICE" not in more


def test_a_verdict_goes_to_the_console_too_where_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    monkeypatch.setattr(console, "write", lambda text, environ: written.append(text))
    told, said = announcer()
    change = Change((OK, "healthy", ()), (FAIL, "role-missing", ("ssm",)), 0.0)
    for wanted in (False, True):
        told.news(REPORT, watch.News(change, []), on_console=wanted)
    assert len(written) == 1
    assert "agentcheck: SUMMARY status=fail" in written[0]
    assert [fields["AGENTCHECK_PREVIOUS_STATUS"] for _, fields in said()] == [OK, OK]


def test_too_many_entries_are_held_back_and_confessed() -> None:
    told, said = announcer()
    for number in range(1000):
        told.say("check", "check", WARNING, str(number))
    told.say("verdict", "verdict", WARNING, "never silenced by checks")
    told.beat(replace(LIVE, confirmed_status=PENDING), None)
    messages = [message for message, _ in said()]
    assert len(messages) < 100
    assert "never silenced by checks" in messages
    (confessed,) = [message for message in messages if "entries were left out (check)" in message]
    assert int(confessed.split()[0]) > 900
    assert messages[-1] == "still pending healthy"


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (OSError(errno.ECONNREFUSED, "away"), ["first", "first", "second"]),
        (OSError(errno.EMSGSIZE, "too long"), ["first", "second"]),
        (ValueError("no such field"), ["first", "second"]),
    ],
)
def test_what_a_journal_is_away_for_is_told_later_and_an_entry_that_is_none_is_left_out(
    error: Exception, sent: list[str]
) -> None:
    seen = []

    def fails_once(message: str, **fields: Any) -> None:
        seen.append(message)
        if len(seen) == 1:
            raise error

    kept = Journal(fails_once)
    for message in ("first", "second"):
        kept.entry("state", WARNING, message)
    kept.flush(5)
    assert seen == sent


def test_a_journal_that_hangs_holds_nobody_up() -> None:
    hangs = threading.Event()
    kept = Journal(lambda message, **fields: hangs.wait(30) and None)
    for number in range(2 * journal.MOST_WAITING):
        kept.entry("state", WARNING, str(number))
    kept.flush(0.01)
    hangs.set()


def fake(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: Any) -> None:
    module = ModuleType(name)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def with_journald(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with journald's socket, and none of systemd-python until a test adds some."""
    (tmp_path / "socket").touch()
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "socket"))
    for name in ("systemd._journal", "systemd.journal"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("with_journald")
def test_the_journal_is_sent_to_by_what_loads_least(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[bytes, ...]] = []
    fake(monkeypatch, "systemd._journal", sendv=lambda *fields: sent.append(fields))
    send = journal._backend()
    send("text", PRIORITY=4, AGENTCHECK_SERVICE=["ssm", "kms"], ODD="\udcff")
    assert sent == [(b"MESSAGE=text", b"PRIORITY=4", b"AGENTCHECK_SERVICE=ssm kms", b"ODD=?")]


@pytest.mark.usefixtures("with_journald")
def test_a_systemd_python_of_other_insides_is_used_by_its_front(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []
    fake(monkeypatch, "systemd.journal", send=lambda text, **fields: sent.append((text, fields)))
    journal._backend()("text", PRIORITY=4)
    assert sent == [("text", {"PRIORITY": "4"})]


@pytest.mark.usefixtures("with_journald")
def test_without_systemd_python_systemd_reads_the_priority_off_each_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = journal._backend()
    send("one\ntwo", PRIORITY=3)
    assert capfd.readouterr().out == "<3>one\n<3>two\n"
    monkeypatch.setattr(sys, "stdout", None)
    send("nobody listens", PRIORITY=3)


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told_on_its_socket_of_either_kind(
    tmp_path: Path, abstract: bool
) -> None:
    name = f"agentcheck-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if abstract else name)
        told = ServiceManager({"NOTIFY_SOCKET": f"@{name}" if abstract else name})
        told.tell(READY="1", STATUS="two\nlines")
        assert manager.recv(100) == b"READY=1\nSTATUS=two lines"


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "\0", "x" * 200])
def test_a_service_manager_that_is_not_there_costs_nothing(address: str) -> None:
    ServiceManager({"NOTIFY_SOCKET": address}).tell(READY="1")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 1.5),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "٣"}, None),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({}, None),
    ],
)
def test_how_often_the_watchdog_is_fed(environ: dict[str, str], expected: object) -> None:
    assert ServiceManager({"NOTIFY_SOCKET": "/x", **environ}).watchdog_s == expected
    assert ServiceManager(environ).watchdog_s is None
