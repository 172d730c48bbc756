"""The loop: starts rounds, takes in what they say, tells it to everybody who should know.

One thread and one selector; the status port has a thread of its own. It waits for the
selector alone, but for moments, so a signal is answered at once, and the watchdog is fed only while
it turns.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Optional

from agentcheck import __version__, whole_file
from agentcheck.daemon import schedule, state, watch
from agentcheck.daemon.announcer import Announcer
from agentcheck.daemon.board import Board
from agentcheck.daemon.child import Round
from agentcheck.daemon.journal import INFO, WARNING, Journal
from agentcheck.daemon.port import Port
from agentcheck.daemon.service_manager import ServiceManager
from agentcheck.files import read_bounded
from agentcheck.model import AgentcheckError, Report
from agentcheck.render import json as json_text
from agentcheck.settings import Settings

LOCK = "daemon.lock"
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
        entries = state.read_history(self._state_dir, settings["state", "history_max"])
        self._watch = watch.Watch(settings["daemon", "confirm"], entries)
        self._board = Board(self._stale_after)
        self._port = Port(self._board)
        self._announcer = Announcer(self._journal, environ)
        self._pending_signals: set[int] = set()
        self._asked = False
        # Which history.json holds what is remembered; None: none does.
        self._saved = state.identity(self._state_dir / state.HISTORY)
        self._stuck: Optional[Round] = None
        self._end: Optional[AgentcheckError] = None
        self._round: Optional[Round] = None
        self._report: Optional[Report] = None
        self._stopping = False
        self._ready = False
        self._unwritable: set[str] = set()
        self._due = time.monotonic() + schedule.spread(_identity(), self._timing)
        self._next_ping = time.monotonic()
        self._next_heartbeat = time.monotonic() + settings["daemon", "heartbeat"]

    def run(self) -> None:
        """The whole life of the daemon. Raises AgentcheckError when it cannot begin or go on."""
        self._lock()
        state.sweep(self._run_dir)
        state.sweep(self._state_dir)
        self._port.follow(self._settings)
        self._catch_signals()
        # READY comes after the first round, which may be later than the unit's own time-out.
        first = self._due - time.monotonic() + self._settings["run", "deadline"] + 30
        self._manager.tell(
            STATUS="waiting for the first round", EXTEND_TIMEOUT_USEC=f"{first * 1e6:.0f}"
        )
        while not self._stopping:
            self._turn()
        self._manager.tell(STOPPING="1", STATUS="stopping")
        if self._round is not None:
            self._round.end()
        self._port.close()
        self._journal.flush(0.5)
        if self._end is not None:
            raise self._end

    def _lock(self) -> None:
        """One daemon for a state folder: two would overwrite each other's files."""
        self._locked: Optional[IO[str]] = None
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._locked = os.fdopen(os.open(self._run_dir / LOCK, flags, 0o600), "w")
        except OSError:
            return  # a folder that takes no files takes no reports either
        try:
            fcntl.flock(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AgentcheckError(
                f"{self._run_dir}: another agentcheck daemon runs with this run_dir; stop it, or"
                " give this one another in [state]"
            ) from None

    def _catch_signals(self) -> None:
        """Signals become bytes on a socket, so that no handler runs amid other code."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._wakeup = (ours, theirs)
        for number in _SIGNALS:
            signal.signal(number, lambda found, _: self._pending_signals.add(found))
        self._selector.register(ours, selectors.EVENT_READ, self._on_signal)

    def _on_signal(self) -> None:
        """The bytes only wake: what they would tell is lost when too many come."""
        self._wakeup[0].recv(65536)
        came, self._pending_signals = self._pending_signals, set()
        if came & {signal.SIGTERM, signal.SIGINT}:
            self._stopping = True
        elif signal.SIGHUP in came:
            self._reload()
        if signal.SIGUSR1 in came:
            self._asked = True

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            key.data()
        now = time.monotonic()
        if self._round is not None and now >= self._round.kill_at:
            self._finish("did not end in time and was killed")
        if self._round is None and (now >= self._due or self._asked) and not self._stopping:
            self._start()
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self._settings["daemon", "heartbeat"]
            run_id = self._report.run_id if self._report else None
            self._announcer.beat(self._watch.live(), run_id)
        if self._manager.watchdog_s is not None and now >= self._next_ping:
            self._next_ping = now + self._manager.watchdog_s
            if self._port.alive:
                self._manager.tell(WATCHDOG="1")

    def _patience(self) -> float:
        """Seconds until something is due."""
        times = [self._next_heartbeat]
        if self._round is not None:
            times.append(self._round.kill_at)
        else:
            times.append(0.0 if self._asked else self._due)
        if self._manager.watchdog_s is not None:
            times.append(self._next_ping)
        return max(0.0, float(min(times)) - time.monotonic())

    def _start(self) -> None:
        trigger, self._asked = "signal" if self._asked else "timer", False
        now, deadline = time.monotonic(), self._settings["run", "deadline"]
        if self._stuck is not None and not self._stuck.gone:
            # Not even SIGKILL ends it, and more of its kind would fill the machine.
            self._take_in(None, "could not be started: the last one is stuck in the kernel")
            return
        self._stuck = None
        try:
            self._round = Round(self._settings.as_ini(), trigger, now, deadline, self._environ)
        except OSError as error:
            self._take_in(None, f"could not be started ({error.strerror})")
            return
        self._selector.register(self._round.output, selectors.EVENT_READ, self._on_output)

    def _on_output(self) -> None:
        if self._round is not None and self._round.read():
            self._finish()

    def _finish(self, overdue: str = "") -> None:
        """The round has closed its output, or is `overdue`."""
        ended, self._round = self._round, None
        assert ended is not None
        self._selector.unregister(ended.output)
        ended.end(closed=not overdue)
        self._stuck = None if ended.gone else ended
        self._take_in(ended.document(), overdue or ended.fate)

    def _take_in(self, document: Optional[Mapping[str, Any]], otherwise: str) -> None:
        wall = time.time()
        try:
            report = json_text.read(document or {})
        except ValueError as error:
            why = otherwise if document is None else f"gave {error}"
            before = self._report
            report = watch.lost(before, __version__, os.urandom(16).hex(), wall, why)
            if before is None or before.verdict.reason != report.verdict.reason:
                summary = report.verdict.summary
                self._announcer.say("verdict", "round-lost", WARNING, summary, run_id=report.run_id)
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
            **state.written(),
        }
        self._board.publish(shown, report, live, self._stale_after)
        self._keep(self._run_dir / state.REPORT, json_text.dump(shown))
        self._keep_history(changed=news.whole is not None)
        if self._settings["state", "textfile"]:
            from agentcheck.render import prometheus

            text = prometheus.render(report, live)
            self._keep(Path(self._settings["state", "textfile"]), text, guessable=False)
        on_console = self._settings["daemon", "console_on_change"]
        self._announcer.news(report, news, on_console)
        self._manager.tell(
            STATUS=f"{live.confirmed_status} {live.confirmed_verdict}; last round:"
            f" {report.status} {report.verdict.code}: {report.verdict.summary}"
        )
        if self._manager.present and self._locked is not None and not self._run_dir.is_dir():
            # In its sandbox the daemon may not make it.
            self._stopping = True
            self._end = AgentcheckError(
                f"{self._run_dir}: the run_dir is gone; ending, to be started anew with one"
            )
        if not self._ready:
            self._ready = True
            self._manager.tell(READY="1")
        self._due = time.monotonic() + schedule.pause(
            self._timing, self._watch.doubtful, self._watch.bad_rounds
        )

    def _reload(self) -> None:
        """Takes over the settings as they are now; a bad file keeps the old ones, and says so."""
        self._manager.tell(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))
        try:
            settings = self._load()
            self._port.follow(settings)
        except AgentcheckError as error:
            text = f"keeping the former settings: {error}"
            self._announcer.say("reload", "reload", WARNING, text)
        else:
            self._settings = settings
            self._watch.set_confirm(settings["daemon", "confirm"])
            self._due = min(self._due, time.monotonic() + settings["daemon", "interval"])
            beat = time.monotonic() + settings["daemon", "heartbeat"]
            self._next_heartbeat = min(self._next_heartbeat, beat)
            self._announcer.say("reload", "reload", INFO, "settings reloaded")
        if self._ready:
            self._manager.tell(READY="1")

    def _keep(self, path: Path, text: str, guessable: bool = True) -> bool:
        """Writes a file; one that cannot be written costs what is in it, never the daemon."""
        try:
            whole_file.write(path, text, guessable=guessable)
        except (OSError, ValueError) as error:
            if str(path) not in self._unwritable:
                self._unwritable.add(str(path))
                why = error.strerror if isinstance(error, OSError) else error
                self._announcer.say("state", "state", WARNING, f"{path} cannot be written: {why}")
            return False
        if str(path) in self._unwritable:
            self._unwritable.discard(str(path))
            self._announcer.say("state", "state", INFO, f"{path} is written again")
        return True

    def _keep_history(self, changed: bool) -> None:
        """After a change, and whenever the file is not the one that was written last."""
        path = self._state_dir / state.HISTORY
        found = state.identity(path)
        if not changed and (not self._watch.history or (found and found == self._saved)):
            return
        self._saved = None
        if self._keep(path, state.history_text(self._watch.history)):
            self._saved = state.identity(path)

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
            text = read_bounded(Path(place), 4096).decode("ascii", "replace").strip()
        except OSError:
            continue
        if text:
            return text
    return ""
