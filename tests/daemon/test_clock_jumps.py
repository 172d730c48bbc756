"""The wall clock is set under the running daemon: nothing ends or sticks, the clock is told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vpc import Vpc, artefacts

pytestmark = pytest.mark.vpc

CONFIG = """\
[run]
deadline = 3s
[daemon]
interval = 300ms
jitter = 0%
boot_grace = 1s
console_on_change = no
"""
DAY = 86400
JUMPS = {"a day on": DAY, "a day back": -DAY, "to 1970": 5000 - int(time.time())}
OFF, SHIM = "/run/wall-clock", "/opt/wall_clock.so"
_CLOCK = ["env", f"LD_PRELOAD={SHIM}", f"WALL_CLOCK={OFF}"]
AGENTCHECK = [*_CLOCK, sys.executable, "-m", "agentcheck"]


def shim() -> bytes:
    source = Path(artefacts.__file__).with_name("wall_clock.c")

    def make(folder: Path) -> None:
        target = str(folder / "wall_clock.so")
        artefacts.call("cc", "-O1", "-shared", "-fPIC", "-o", target, str(source))

    return (artefacts.kept("wall-clock", source.read_text(), make) / "wall_clock.so").read_bytes()


class Clocked:
    """A daemon in the VPC, and the clock that it and its rounds see."""

    def __init__(self, vpc: Vpc) -> None:
        self.vpc = vpc
        vpc.put(SHIM, shim())
        self.set(0)
        vpc.put("/etc/agentcheck/agentcheck.conf", CONFIG)
        vpc.run(["mkdir", "-p", "/run/agentcheck", "/var/lib/agentcheck"])

    def start(self) -> None:
        self.daemon = self.vpc.spawn(
            [*AGENTCHECK, "daemon"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def set(self, seconds: int) -> None:
        self.vpc.put(OFF, str(seconds))

    def ask(self, verb: str) -> tuple[int, Any]:
        done = self.vpc.run([*AGENTCHECK, verb, "--format", "json"])
        return done.returncode, json.loads(done.stdout or "{}")

    def is_confirmed(self, status: str, verdict: str) -> bool:
        _, report = self.ask("status")
        found = report.get("confirmed_status"), report.get("verdict", {}).get("code")
        return found == (status, verdict)

    def end(self) -> str:
        """All that it said."""
        self.vpc.run(["pkill", "-TERM", "-f", "[a]gentcheck.daemon"])
        said, _ = self.daemon.communicate(timeout=5)
        assert self.daemon.returncode == 0
        assert "Traceback" not in said
        assert "internal error" not in said
        return str(said)


@pytest.fixture
def clocked() -> Iterator[Clocked]:
    with Vpc("healthy") as vpc:
        yield Clocked(vpc)


def eventually(happens: Callable[[], bool], seconds: float = 25) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"


def test_a_clock_that_is_set_between_rounds_is_the_only_news(clocked: Clocked) -> None:
    clocked.start()
    eventually(lambda: clocked.is_confirmed("ok", "healthy"))
    for seconds in JUMPS.values():
        clocked.set(seconds)
        eventually(lambda: clocked.is_confirmed("fail", "clock-skew"))
        code, report = clocked.ask("status")
        assert (code, report["stale"]) == (2, False)
        assert report["age_s"] < 10
        assert [cause["code"] for cause in report["causes"]] == ["clock-skew"]
        clocked.set(0)
        eventually(lambda: clocked.is_confirmed("ok", "healthy"))
    _, history = clocked.ask("history")
    assert [entry["status"] for entry in history] == ["ok", "fail"] * len(JUMPS) + ["ok"]
    clocked.end()
    # Each time the clock is set may cost one signed call, never one a round.
    assert sum('"signed": true' in line for line in clocked.vpc.served) <= 1 + 2 * len(JUMPS)


def test_a_clock_that_was_never_set_before_the_first_round_is_told_as_that(
    clocked: Clocked,
) -> None:
    clocked.set(JUMPS["to 1970"])
    clocked.start()
    eventually(lambda: clocked.is_confirmed("fail", "clock-skew"))
    clocked.set(0)
    eventually(lambda: clocked.is_confirmed("ok", "healthy"))
    clocked.end()


def test_a_clock_that_is_set_amid_rounds_ends_none_of_it(clocked: Clocked) -> None:
    """Back and forth, more often than there are rounds."""
    clocked.start()
    eventually(lambda: clocked.is_confirmed("ok", "healthy"))
    seen = set()
    for _ in range(3):
        for seconds in (*JUMPS.values(), 0):
            clocked.set(seconds)
            seen.add(clocked.ask("status")[1]["verdict"]["code"])
    assert seen <= {"healthy", "clock-skew", "could-not-tell"}  # of the round amid it, "clock-set"
    clocked.set(0)
    eventually(lambda: clocked.is_confirmed("ok", "healthy"))
    clocked.end()
