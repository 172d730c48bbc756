"""The loop: starts rounds, takes in what they say, tells it to everybody who should know.

One thread and one selector; the status port has a thread of its own. It never waits for anything
but the selector, so a signal is answered at once, and the watchdog is fed only while it turns.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Optional

from agentcheck import __version__
from agentcheck.daemon import console, schedule, state, watch
from agentcheck.daemon.allowance import Allowance
from agentcheck.daemon.board import Board
from agentcheck.daemon.child import Round
from agentcheck.daemon.confirmation import Change
from agentcheck.daemon.journal import INFO, NOTICE, WARNING, Journal
from agentcheck.daemon.port import Port
from agentcheck.daemon.service_manager import ServiceManager
from agentcheck.model import OK, AgentcheckError, Report, Result
from agentcheck.render import console as console_text
from agentcheck.render import json as json_text
from agentcheck.settings import Settings

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)


class Daemon:
    """Runs until SIGTERM. `load` reads the settings anew, and raises ConfigError."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._settings, self._load, self._environ = settings, load, environ
        self._journal = Journal()
        self._manager = ServiceManager(environ)
        self._selector = selectors.DefaultSelector()
        entries = state.read_history(self._state_dir)
        self._watch = watch.Watch(settings["daemon", "confirm"], entries)
        self._board = Board(self._stale_after)
        self._port = Port(self._board)
        self._allowance = Allowance(time.monotonic())
        self._round: Optional[Round] = None
        self._trigger = "timer"
        self._report: Optional[Report] = None
        self._stopping = False
        self._ready = False
        self._unwritable: set[str] = set()
        self._due = time.monotonic() + schedule.spread(_identity(), self._timing)
        self._next_ping = time.monotonic()
        self._next_heartbeat = time.monotonic() + settings["daemon", "heartbeat"]

    def run(self) -> None:
        """The whole life of the daemon. Raises AgentcheckError when the port cannot be opened."""
        state.sweep(self._run_dir)
        state.sweep(self._state_dir)
        self._port.follow(self._settings)
        self._catch_signals()
        self._manager.tell(STATUS="waiting for the first round")
        while not self._stopping:
            self._turn()
        self._manager.tell(STOPPING="1", STATUS="stopping")
        if self._round is not None:
            self._round.end()
        self._port.close()

    def _catch_signals(self) -> None:
        """Signals become bytes on a socket, so that no handler runs amid other code."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._wakeup = (ours, theirs)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._selector.register(ours, selectors.EVENT_READ, self._on_signal)

    def _on_signal(self) -> None:
        for number in self._wakeup[0].recv(4096):
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stopping = True
            elif number == signal.SIGHUP:
                self._reload()
            elif number == signal.SIGUSR1:
                self._due, self._trigger = time.monotonic(), "signal"

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            key.data()
        now = time.monotonic()
        if self._round is not None and now >= self._round.kill_at:
            self._finish("did not end in time and was killed")
        if self._round is None and now >= self._due and not self._stopping:
            self._start()
        if now >= self._next_heartbeat:
            self._beat(now)
        if self._manager.watchdog_s is not None and now >= self._next_ping:
            self._next_ping = now + self._manager.watchdog_s
            if self._port.alive:
                self._manager.tell(WATCHDOG="1")

    def _patience(self) -> float:
        """Seconds until something is due."""
        times = [self._next_heartbeat]
        times.append(self._round.kill_at if self._round is not None else self._due)
        if self._manager.watchdog_s is not None:
            times.append(self._next_ping)
        return max(0.0, float(min(times)) - time.monotonic())

    def _start(self) -> None:
        trigger, self._trigger = self._trigger, "timer"
        now, deadline = time.monotonic(), self._settings["run", "deadline"]
        try:
            self._round = Round(self._settings.as_ini(), trigger, now, deadline, self._environ)
        except OSError as error:
            self._take_in(None, f"could not be started ({error.strerror})")
            return
        self._selector.register(self._round.output, selectors.EVENT_READ, self._on_output)

    def _on_output(self) -> None:
        if self._round is not None and self._round.read():
            self._finish("printed no report")

    def _finish(self, otherwise: str) -> None:
        """The round is over; `otherwise` says what was wrong if it gave no report."""
        ended, self._round = self._round, None
        assert ended is not None
        self._selector.unregister(ended.output)
        ended.end()
        self._take_in(ended.document(), otherwise)

    def _take_in(self, document: Optional[Mapping[str, Any]], otherwise: str) -> None:
        wall = time.time()
        try:
            report = json_text.read(document or {})
        except ValueError:
            report = watch.lost(self._report, __version__, os.urandom(16).hex(), wall, otherwise)
            self._say("round-lost", WARNING, report.verdict.summary, run_id=report.run_id)
        booting = time.clock_gettime(time.CLOCK_BOOTTIME) < self._settings["daemon", "boot_grace"]
        report, news = self._watch.see(report, wall, booting)
        self._watch.trim(self._settings["state", "history_max"])
        self._report = report
        live = self._watch.live()
        shown = {
            **json_text.document(report),
            "confirmed_status": live.confirmed_status,
            "confirmed_since": live.confirmed_since or None,
            "stale_after_s": self._stale_after,
        }
        self._board.publish(shown, report, live, self._stale_after)
        self._keep(self._run_dir / state.REPORT, json_text.dump(shown))
        if news.whole is not None:
            self._keep(self._state_dir / state.HISTORY, state.history_text(self._watch.history))
        if self._settings["state", "textfile"]:
            from agentcheck.render import prometheus

            text = prometheus.render(report, live)
            self._keep(Path(self._settings["state", "textfile"]), text)
        self._announce(report, news)
        self._manager.tell(
            STATUS=f"{live.confirmed_status} {live.confirmed_verdict}; last round:"
            f" {report.status} {report.verdict.code}: {report.verdict.summary}"
        )
        if not self._ready:
            self._ready = True
            self._manager.tell(READY="1")
        self._due = time.monotonic() + schedule.pause(
            self._timing, self._watch.unconfirmed, self._watch.bad_rounds
        )

    def _announce(self, report: Report, news: watch.News) -> None:
        for result, before in news.checks:
            self._say_of_check(report, result, before)
        if news.whole is None:
            return
        self._say_of_whole(report, news.whole)
        if self._settings["daemon", "console_on_change"]:
            console.write(console_text.render(report), self._environ)

    def _say_of_whole(self, report: Report, change: Change[watch.Whole]) -> None:
        status, code, services = change.value
        before = change.previous[0] if change.previous else None
        verdict = report.verdict
        recovered = "recovered: " if status == OK and before not in (None, OK) else ""
        self._say(
            "verdict",
            watch.GRAVITY[status],
            f"{recovered}{status} {code}: {verdict.summary}",
            status=status,
            previous_status=before,
            verdict=code,
            reason=verdict.reason,
            service=list(services),
            run_id=report.run_id,
            summary=verdict.summary,
            remedy=verdict.remedy[0] if verdict.remedy else None,
            doc=verdict.doc,
        )

    def _say_of_check(self, report: Report, result: Result, before: Optional[str]) -> None:
        recovered = "recovered: " if result.status == OK else ""
        family, _, service = result.id.partition(".")
        self._say(
            "check",
            watch.GRAVITY[result.status],
            f"{recovered}check {result.id} {result.status}: {result.summary}",
            check=result.id,
            status=result.status,
            previous_status=before,
            reason=result.reason,
            verdict=report.verdict.code,
            service=service if family in ("dns", "tcp", "tls", "proxy", "hosts") else None,
            run_id=report.run_id,
        )

    def _say(self, event: str, priority: int, message: str, **fields: Any) -> None:
        """One entry, unless too much was said lately."""
        if not self._allowance.take(time.monotonic()):
            return
        held = self._allowance.confess()
        if held:
            self._journal.entry(
                "quiet", NOTICE, f"{held} entries were left out: things change too often"
            )
        self._journal.entry(event, priority, message, **fields)

    def _beat(self, now: float) -> None:
        self._next_heartbeat = now + self._settings["daemon", "heartbeat"]
        live = self._watch.live()
        self._journal.entry(
            "heartbeat",
            INFO,
            f"still {live.confirmed_status} {live.confirmed_verdict}"
            + (f" since {live.confirmed_since}" if live.confirmed_since else ""),
            status=live.confirmed_status,
            verdict=live.confirmed_verdict,
            run_id=self._report.run_id if self._report else None,
        )

    def _reload(self) -> None:
        """Takes over the settings as they are now; a bad file keeps the old ones, and says so."""
        self._manager.tell(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))
        try:
            settings = self._load()
            self._port.follow(settings)
        except AgentcheckError as error:
            self._say("reload", WARNING, f"keeping the former settings: {error}")
        else:
            self._settings = settings
            self._watch.set_confirm(settings["daemon", "confirm"])
            self._due = min(self._due, time.monotonic() + settings["daemon", "interval"])
            self._say("reload", INFO, "settings reloaded")
        self._manager.tell(READY="1")

    def _keep(self, path: Path, text: str) -> None:
        """Writes a file; one that cannot be written costs what is in it, never the daemon."""
        try:
            state.write(path, text)
            self._unwritable.discard(str(path))
        except OSError as error:
            if str(path) not in self._unwritable:
                self._unwritable.add(str(path))
                self._say("state", WARNING, f"{path} cannot be written: {error.strerror}")

    @property
    def _timing(self) -> schedule.Timing:
        return schedule.Timing(
            self._settings["daemon", "interval"], self._settings["daemon", "jitter"]
        )

    @property
    def _stale_after(self) -> float:
        return schedule.stale_after(self._timing, float(self._settings["run", "deadline"]))

    @property
    def _run_dir(self) -> Path:
        return Path(self._settings["state", "run_dir"])

    @property
    def _state_dir(self) -> Path:
        return Path(self._settings["state", "state_dir"])


def _identity() -> str:
    """Something that differs between the instances of a fleet."""
    for place in ("/sys/class/dmi/id/board_asset_tag", "/etc/machine-id", "/etc/hostname"):
        try:
            text = Path(place).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            continue
        if text:
            return text
    return ""
