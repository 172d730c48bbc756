"""Faults under the running service: what it says of one, how much, and how soon it is well again.

`./dev soak faults` runs the tests that use this, at full length, and prints what they measured.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.booted.machine import Machine, Process

UNIT = "agentcheck.service"
PORT = 9257
SETTINGS = "/etc/agentcheck/agentcheck.conf"
REPORT, HISTORY = "/run/agentcheck/report.json", "/var/lib/agentcheck/history.json"
# Rounds come one after the other, so that what is told at each round would be told often.
CONFIG = f"""\
[run]
deadline = 3s
connect_timeout = 1s
[daemon]
interval = 500ms
jitter = 0%
boot_grace = 1s
[http]
listen = 127.0.0.1:{PORT}
"""
# A round with a black hole takes 2 s, one that hangs 6 s; a restart waits 5 s.
SOON_S = 30.0
# Of one fault, whatever it is: some changes of a verdict and its checks, never one a round. What
# goes to the console at a change of the verdict passes through the journal too.
MOST_ENTRIES = 12
MOST_CONSOLE_LINES = 30
BYTES_AN_ENTRY = 2000
# What the tests have measured.
ROWS: list[tuple[str, ...]] = []
HEAD = ("fault", "told as", "entries", "console lines", "bytes", "lasted s", "rounds", "restarts")


def eventually(happens: Callable[[], bool], seconds: float = SOON_S) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@dataclass
class Fault:
    """One fault that goes on: what was said since it began."""

    watched: Watched
    cursor: str
    told: str

    def said(self) -> list[dict[str, Any]]:
        """The journal of the unit, what the service manager says of it too."""
        found = self.watched.machine.journal(f"--after-cursor={self.cursor}", f"--unit={UNIT}")
        return [entry for entry in found if entry["__CURSOR"] != self.cursor]

    def of_this(self) -> list[str]:
        """The lines that name the fault."""
        lines = [str(entry.get("MESSAGE")) for entry in self.said()]
        return [line for line in lines if re.search(self.told, line)]

    def wait_told(self) -> None:
        eventually(lambda: bool(self.of_this()))


class Watched:
    """The service on a machine, well and confirmed to be so."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.systemctl("reset-failed")
        machine.systemctl("restart", UNIT)  # with all that it may say still to be said
        self.wait_well()

    @property
    def pid(self) -> Process:
        return self.machine.pid_of(UNIT)

    def sh(self, script: str, *arguments: str) -> str:
        return self.machine.check("sh", "-euc", script, "sh", *arguments)

    def in_its_sandbox(self, script: str) -> str:
        """Where it has its own view of the file systems."""
        namespace = ["nsenter", f"--target={self.pid.inside}", "--mount"]
        return self.machine.check(*namespace, "sh", "-euc", script)

    def get(self, path: str) -> str:
        """What the status port says, "" while nobody answers."""
        try:
            return self.machine.http(PORT, path).body
        except OSError:
            return ""

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/status") or "{}")
        return found

    def kept(self, path: str) -> Any:
        """The JSON of a file of the service; half of one is an error, None is no file."""
        done = self.machine.run(["cat", path])
        return json.loads(done.stdout) if done.returncode == 0 else None

    def rounds(self) -> int:
        """Since the start of its process."""
        counts = re.findall(r"^agentcheck_runs_total\{.*\} (\d+)$", self.get("/metrics"), re.M)
        return sum(map(int, counts))

    def wait_rounds(self, number: int = 1) -> None:
        """Until so many have ended."""
        seen = {self.report().get("run_id")}

        def ended() -> bool:
            seen.add(self.report().get("run_id"))
            return len(seen - {None}) > number

        eventually(ended)

    def restarts(self) -> int:
        return int(self.machine.show(UNIT, "NRestarts")["NRestarts"])

    def is_well(self) -> bool:
        """By its port and by its files, which are of the same round."""
        report = self.report()
        return (
            self.get("/healthz") == "ok healthy\n"
            and report.get("status") == "ok"
            and (self.kept(REPORT) or {}).get("run_id") == report["run_id"]
        )

    def wait_well(self) -> None:
        eventually(self.is_well)

    def a_round(self) -> Process:
        """One that has just started."""
        found: list[int] = []

        def catch() -> bool:
            done = self.machine.run(["pgrep", "-n", "-f", "[a]gentcheck.* run --format json"])
            found.extend(map(int, done.stdout.split()))
            return bool(found)

        eventually(catch)
        return self.machine.process(found[0])

    @contextmanager
    def fault(
        self,
        name: str,
        told: str,
        times: Sequence[int] = (1,),
        restarts: int = 0,
        most: int = MOST_ENTRIES,
        changes: int = 2,
    ) -> Iterator[Fault]:
        """Within it the fault is made and mended; then all must be well and little was said.

        `told` is a pattern for the lines that tell it, and `times` how many of them there may be.
        `restarts` is how often the service manager starts it anew, `changes` how often the verdict
        may change for good: there and back is what any fault may do that lasts for two rounds.
        """
        self.wait_well()
        process, before, history = self.pid.inside, self.restarts(), self.kept(HISTORY)
        last = self.machine.journal("--lines=1")[-1]
        fault = Fault(self, last["__CURSOR"], told)
        begun = time.monotonic()
        yield fault
        lasted = time.monotonic() - begun
        old_report, done = self.report().get("run_id"), self.rounds()
        eventually(lambda: self.is_well() and self.report()["run_id"] != old_report)
        now = self.rounds()
        if not restarts:
            assert self.pid.inside == process
        assert self.restarts() - before == restarts
        kept = self.kept(HISTORY)
        assert kept[: len(history)] == history
        served = json.loads(self.get("/history"))
        assert [e["run_id"] for e in served] == [e["run_id"] for e in reversed(kept)][:200]
        said = fault.said()
        volume = sum(len(json.dumps(entry)) for entry in said)
        lines = [str(entry.get("MESSAGE")) for entry in said]
        assert len(fault.of_this()) in times, lines
        assert not [line for line in lines if "Traceback" in line or "internal error" in line]
        console = [entry for entry in said if entry.get("_TRANSPORT") == "stdout"]
        assert len(said) - len(console) <= most, lines
        assert len(console) <= MOST_CONSOLE_LINES * changes + restarts, lines
        assert volume <= len(said) * BYTES_AN_ENTRY
        rounds = now - done if now >= done else now
        row = (len(said) - len(console), len(console), volume, f"{lasted:.1f}", rounds, restarts)
        ROWS.append((name, (fault.of_this() or ["-"])[0][:60], *map(str, row)))


def main() -> int:
    """All faults at full length, and the table of what they showed."""
    import os

    import pytest

    os.environ["AGENTCHECK_FLAP_S"] = "120"
    folder = Path(__file__).parent
    status = pytest.main(["-q", *map(str, sorted(folder.glob("test_faults*.py"))), *sys.argv[1:]])
    widths = [max(map(len, column)) for column in zip(HEAD, *ROWS)]
    for row in (HEAD, *ROWS):
        print(" | ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    return int(status)


if __name__ == "__main__":
    from tests.booted import faulty  # not this copy of it: the tests fill that one's table

    sys.exit(faulty.main())
