"""One round as a child process: a session of its own, bounded in time and output.

Memory of a round goes back to the kernel with it, a resolver stuck in C is killed with it, and an
upgraded package is picked up by the next one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Optional

from agentcheck.files import parse_json

MAX_OUTPUT = 1 << 20
# What the round may take beyond its own deadline: start of the interpreter, printing.
GRACE_S = 3.0
# Who has closed its output ends by itself within this, and who is killed is gone within this, but
# where the kernel holds it.
ENDS_S = 0.5
# A round is the first to go when memory runs out, never the daemon (proc(5)).
OOM_SCORE_ADJ = "1000"
# The service manager's business with the daemon is none of the round's.
NOT_FOR_THE_ROUND = ("NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "AGENTCHECK_")

# `systemctl kill -s USR1 agentcheck` sends it to all processes of the service. A round has them
# blocked from its first moment on, and so does what it starts.
FOR_THE_DAEMON = (signal.SIGHUP, signal.SIGUSR1)


def program(module: str = "agentcheck") -> list[str]:
    """How a module of this very program is started anew, from whatever folder.

    The single file starts as itself, whatever the module: see `is_single_file`. Isolated (-I), as
    packages start it, a module is named by its path: nothing of the environment finds it, or
    replaces it.
    """
    isolated = ["-I"] if sys.flags.isolated else []
    if is_single_file():
        return [sys.executable, *isolated, os.path.dirname(_started())]
    if not isolated:
        return [sys.executable, "-m", module]
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.path.join(package, *module.split(".")[1:], "__main__.py")
    return [sys.executable, *isolated, path]


def is_single_file() -> bool:
    """Whether all of it came in one archive that Python runs."""
    return os.path.isfile(os.path.dirname(_started()))


def _started() -> str:
    """What Python was told to run; inside an archive that is ARCHIVE/__main__.py."""
    return os.path.abspath(getattr(sys.modules["__main__"], "__file__", None) or os.sep)


class Round:
    """A round that runs. Read `output` when it is readable; `read` says when it has ended."""

    def __init__(
        self, settings: str, trigger: str, now: float, deadline_s: float, environ: Mapping[str, str]
    ) -> None:
        """Starts it. `settings` is the INI text of the accepted settings; it reads no other."""
        self.kill_at = now + deadline_s + GRACE_S
        self._output = bytearray()
        self._by_itself = False
        frozen = os.memfd_create("agentcheck.conf", 0)
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, FOR_THE_DAEMON)
        try:
            os.write(frozen, settings.encode())
            self._process = subprocess.Popen(
                [
                    *program(),
                    *("run", "--format", "json", "--trigger", trigger),
                    *("--config", f"/proc/self/fd/{frozen}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={k: v for k, v in environ.items() if not k.startswith(NOT_FOR_THE_ROUND)},
                pass_fds=[frozen],
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
            os.close(frozen)
        assert self._process.stdout is not None
        self.output = self._process.stdout
        os.set_blocking(self.output.fileno(), False)
        try:
            with open(f"/proc/{self._process.pid}/oom_score_adj", "w", encoding="ascii") as file:
                file.write(OOM_SCORE_ADJ)
        except OSError:
            pass

    def read(self) -> bool:
        """Takes what is there; True when the round has closed its output, or writes too much."""
        while len(self._output) <= MAX_OUTPUT:
            try:
                part = os.read(self.output.fileno(), 65536)
            except BlockingIOError:
                return False
            if not part:
                return True
            self._output += part
        return True

    def end(self, closed: bool = False) -> None:
        """Kills whatever is left of its session, and collects it.

        `closed`: its output has ended, so it is about to end itself; how, is worth a moment.
        """
        until = time.monotonic() + ENDS_S
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT  # uncollected, nobody else gets its id
        while closed and not os.waitid(os.P_PID, self._process.pid, how):
            if time.monotonic() > until:
                closed = False
            time.sleep(0.005)
        self._by_itself = closed
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_S)
        self.output.close()

    @property
    def gone(self) -> bool:
        """Whether it has been collected; after `end` only the kernel can hold it."""
        return self._process.poll() is not None

    @property
    def fate(self) -> str:
        """What became of one that gave no report."""
        number = -(self._process.returncode or 0)
        if not self._by_itself:
            return "printed no report and was killed"
        if number == signal.SIGKILL:
            return "was killed (by the kernel, where memory is short)"
        return f"was ended by signal {number}" if number > 0 else "printed no report"

    def document(self) -> Optional[Mapping[str, Any]]:
        """What it printed, None when that is no JSON object."""
        try:
            found = parse_json(self._output)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None
