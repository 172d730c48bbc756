"""`./dev bench`: what a round costs, as ratios taken in one run.

Every row's world is a simulated VPC of its own. All are alive at once and the commands run in turn,
so that what slows the machine slows them all. The yardsticks are a bare interpreter that makes the
same three TLS handshakes, and one that loads the round's libraries and does nothing.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Optional

from tests.vpc import Vpc
from tests.vpc.scenario import Rule, Scenario
from tests.vpc.scenarios import find

RUNS = 10
CONFIG = "/etc/raised.conf"

# Runs in the instance: one command, its seconds of wall clock and CPU, its MiB, its exit status.
_MEASURE = """
import os, sys, time
command = sys.argv[1:]
begun = time.monotonic()
child = os.fork()
if child == 0:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.execv(command[0], command)
_, status, usage = os.wait4(child, 0)
cpu = usage.ru_utime + usage.ru_stime
print([time.monotonic() - begun, cpu, usage.ru_maxrss / 1024, status >> 8])
"""

_HANDSHAKES = """
import socket, ssl
context = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
for service in ("ssm", "ssmmessages", "ssm"):
    host = service + ".us-east-1.amazonaws.com"
    with socket.create_connection((host, 443)) as plain:
        with context.wrap_socket(plain, server_hostname=host):
            pass
"""
_IMPORTS = "import requests, psutil, dns.resolver, dns.query, requests_aws4auth"


@dataclass(frozen=True)
class Cost:
    """Medians: seconds of wall clock and of CPU, MiB at the peak; and the exit status."""

    wall: float
    cpu: float
    peak: float
    status: int


@dataclass(frozen=True)
class Row:
    """A command in a world, and the exit status that it must have."""

    title: str
    world: Scenario
    command: Sequence[str]
    status: int = 0


def with_addresses(count: int, silent: bool = False) -> Scenario:
    """A VPC whose endpoint of ssm has so many addresses (2: as everywhere), healthy or silent."""
    healthy = find("healthy")
    ssm, *others = healthy.endpoints
    addresses = tuple(f"10.0.{100 + i // 200}.{10 + i % 200}" for i in range(count))
    ssm = replace(ssm, addresses=addresses if count > 2 else ssm.addresses)
    rules = (Rule(ssm.addresses),) if silent else ()
    raised = {CONFIG: "[endpoints]\nmax_addresses = 256\n"}
    return replace(healthy, endpoints=(ssm, *others), rules=rules, files=raised)


def rows() -> dict[str, Row]:
    """What is measured, by a short name."""
    python = sys.executable
    run = (python, "-m", "agentcheck", "run", "--format", "json")
    raised = (*run, "--config", CONFIG)
    two, hundred = with_addresses(2), with_addresses(100)
    silent, silent_hundred = with_addresses(2, silent=True), with_addresses(100, silent=True)
    return {
        "bare": Row("bare interpreter + three TLS handshakes", two, (python, "-c", _HANDSHAKES)),
        "imports": Row("bare interpreter + the libraries", two, (python, "-c", _IMPORTS)),
        "healthy": Row("healthy round, 2 addresses of ssm", two, run),
        "20": Row("healthy round, 20 addresses, 16 tried", with_addresses(20), run),
        "200": Row("healthy round, 200 addresses, 16 tried", with_addresses(200), run),
        "100": Row("healthy round, 100 addresses, all tried", hundred, raised),
        "black": Row("black-holed round, 2 addresses", silent, run, 2),
        "black 100": Row("black-holed round, 100 addresses, all tried", silent_hundred, raised, 2),
    }


def measure(wanted: dict[str, Row], runs: int) -> dict[str, Cost]:
    """Every row's cost, measured in turn; the first turn warms the caches and does not count."""
    found: dict[str, list[list[float]]] = {name: [] for name in wanted}
    with ExitStack() as stack:
        vpcs = {name: stack.enter_context(Vpc(row.world)) for name, row in wanted.items()}
        for turn in range(runs + 1):
            for name, row in wanted.items():
                outcome = vpcs[name].run([sys.executable, "-c", _MEASURE, *row.command])
                if outcome.returncode:
                    raise SystemExit(f"bench: {name}: {outcome.stderr.strip()[-300:]}")
                seen = json.loads(outcome.stdout)
                if seen[3] != row.status:
                    raise SystemExit(f"bench: {row.title}: exit {seen[3]}, not {row.status}")
                if turn:
                    found[name].append(seen)
    return {name: Cost(*map(statistics.median, zip(*seen))) for name, seen in found.items()}


def ratio(text: str, value: float, target: Optional[float] = None, unit: str = "times") -> None:
    """One line under the table."""
    judged = f"   target {target:g}: {'met' if value <= target else 'MISSED'}" if target else ""
    print(f"{text:<56}{value:>7.2f} {unit:5}{judged}")


def main() -> None:
    """Prints the table and the ratios."""
    wanted = rows()
    cost = measure(wanted, RUNS)
    print(f"medians of {RUNS}, Python {sys.version.split()[0]}, in the simulated VPC\n")
    print(f"{'':<46}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}")
    for name, row in wanted.items():
        one = cost[name]
        print(f"{row.title:<46}{one.wall:>8.3f}{one.cpu:>8.3f}{one.peak:>10.1f}")
    print()
    healthy, black = cost["healthy"], cost["black"]
    ratio("healthy round / its own libraries, wall", healthy.wall / cost["imports"].wall, 3)
    ratio("healthy round / bare + handshakes, wall", healthy.wall / cost["bare"].wall)
    ratio("healthy round / bare + handshakes, CPU", healthy.cpu / cost["bare"].cpu)
    ratio("healthy round / bare + handshakes, memory", healthy.peak / cost["bare"].peak)
    ratio("healthy round, peak", healthy.peak, 40, "MiB")
    ratio("black-holed round, wall", black.wall, 4.5, "s")
    ratio("20 addresses, 16 tried / 2 addresses, wall", cost["20"].wall / healthy.wall)
    ratio("200 addresses, 16 tried / 2 addresses, wall", cost["200"].wall / healthy.wall)
    ratio("200 addresses, 16 tried / 2 addresses, memory", cost["200"].peak / healthy.peak)
    ratio("100 addresses, all tried / 2 addresses, wall", cost["100"].wall / healthy.wall, 1.3)
    ratio("100 addresses, all tried / 2 addresses, memory", cost["100"].peak / healthy.peak)
    ratio("the same black-holed, wall", cost["black 100"].wall / black.wall, 1.3)


if __name__ == "__main__":
    main()
