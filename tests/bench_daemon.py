"""`./dev bench daemon`: what the idle daemon costs over time, on a machine that systemd has booted.

Two machines run side by side, one with the status port, one without, both with a round every five
seconds: sixty times as often as by default. What grows would show.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.booted import Machine
from tests.vpc import Vpc

INTERVAL_S = 5
PORT = 9257
CONFIG = f"[daemon]\ninterval = {INTERVAL_S}s\nboot_grace = 1s\n"
WITH_PORT = f"{CONFIG}[http]\nlisten = 127.0.0.1:{PORT}\n"
UNIT = "agentcheck.service"
TARGETS = {"without the port": 16.0, "with the port": 22.0}


@dataclass(frozen=True)
class Sample:
    """MiB, open files, and CPU seconds of the daemon and of all its rounds so far."""

    rss: float
    files: int
    own: float
    rounds: float


def sample(process: int) -> Sample:
    """From /proc, by our own process ids."""
    folder = Path("/proc", str(process))
    rss = int((folder / "status").read_text().partition("VmRSS:")[2].split()[0]) / 1024
    words = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    own, rounds = (sum(map(int, words[at : at + 2])) / ticks for at in (11, 13))
    return Sample(rss, len(os.listdir(folder / "fd")), own, rounds)


def main(arguments: Sequence[str]) -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(prog="dev bench daemon", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args(arguments).minutes
    with ExitStack() as stack:
        found: dict[str, list[Sample]] = {}
        machines: dict[str, Machine] = {}
        for name, config in zip(TARGETS, (CONFIG, WITH_PORT)):
            vpc = stack.enter_context(Vpc("healthy"))
            files = {"/etc/agentcheck/agentcheck.conf": config}
            machine = stack.enter_context(Machine(vpc, files))
            machine.systemctl("start", UNIT)
            machines[name], found[name] = machine, []
        time.sleep(3 * INTERVAL_S)
        for path in ("/", "/metrics", "/status", "/healthz"):
            machines["with the port"].http(PORT, path)  # the page is loaded at the first request
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            for name, machine in machines.items():
                found[name].append(sample(machine.pid_of(UNIT).outside))
            machines["with the port"].http(PORT, "/metrics")
            time.sleep(INTERVAL_S)
        restarts = {name: m.show(UNIT, "NRestarts")["NRestarts"] for name, m in machines.items()}
    report(found, restarts, minutes)


def report(found: dict[str, list[Sample]], restarts: dict[str, str], minutes: float) -> None:
    """First and last fifth of the time side by side: what is flat is equal."""
    print(f"{minutes:g} minutes, a round every {INTERVAL_S} s, Debian 12 booted by systemd\n")
    print(
        f"{'':18}{'RSS MiB':>16}{'target':>8}{'open files':>14}{'CPU ms a round':>22}{'':2}restarts"
    )
    print(f"{'':18}{'first    last':>16}{'':8}{'first  last':>14}{'daemon   the round':>22}")
    for name, samples in found.items():
        fifth = max(1, len(samples) // 5)
        first, last = samples[:fifth], samples[-fifth:]
        rss = [statistics.median(s.rss for s in part) for part in (first, last)]
        files = [int(statistics.median(s.files for s in part)) for part in (first, last)]
        count = max(1.0, len(samples) - 1)
        cpu = [
            (getattr(samples[-1], kind) - getattr(samples[0], kind)) / count * 1000
            for kind in ("own", "rounds")
        ]
        print(
            f"{name:18}{rss[0]:8.1f}{rss[1]:8.1f}{TARGETS[name]:8.0f}{files[0]:8d}{files[1]:6d}"
            f"{cpu[0]:12.1f}{cpu[1]:10.0f}  {restarts[name]}"
        )
    one = found["without the port"]
    a_round = (one[-1].rounds - one[0].rounds + one[-1].own - one[0].own) / max(1, len(one) - 1)
    print(f"\nat the default interval of 5 min: {a_round * 288:.0f} s of CPU a day")
