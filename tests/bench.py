"""`./dev bench`: what a round costs, as ratios taken in one run.

All commands run inside the simulated VPC, in turn, so that what slows the machine slows them all.
The yardstick is a bare interpreter that makes three TLS handshakes with the same endpoints.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass

from tests.vpc import Vpc

RUNS = 10

# Runs in the instance: measures each of its command lines in turn, RUNS times.
_MEASURE = """
import json, os, sys, time
commands, runs = json.loads(sys.argv[1]), int(sys.argv[2])
found = [[] for _ in commands]
for turn in range(runs + 1):
    for command, rows in zip(commands, found):
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            os.execv(command[0], command)
        _, status, usage = os.wait4(child, 0)
        cpu = usage.ru_utime + usage.ru_stime
        if turn:  # the first turn warms the caches
            rows.append([time.monotonic() - begun, cpu, usage.ru_maxrss / 1024, status >> 8])
print(json.dumps(found))
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
_IMPORTS = "import requests, psutil, dns.resolver, dns.query"


@dataclass(frozen=True)
class Cost:
    """Medians: seconds of wall clock and of CPU, MiB at the peak; and the exit status."""

    wall: float
    cpu: float
    peak: float
    status: int


def measure(vpc: Vpc, commands: list[list[str]], runs: int = RUNS) -> list[Cost]:
    """Every command's cost in the instance, measured in turn."""
    command = [sys.executable, "-c", _MEASURE, json.dumps(commands), str(runs)]
    outcome = vpc.run(command, timeout=runs * 60)
    if outcome.returncode:
        raise SystemExit(f"bench: the measurement failed: {outcome.stderr.strip()[-300:]}")
    costs = []
    for rows in json.loads(outcome.stdout):
        wall, cpu, peak, status = zip(*rows)
        if len(set(status)) != 1:
            raise SystemExit(f"bench: exit statuses differ between runs: {sorted(set(status))}")
        medians = [statistics.median(values) for values in (wall, cpu, peak)]
        costs.append(Cost(*medians, status=status[0]))
    return costs


def main() -> None:
    """Prints the table."""
    python = sys.executable
    run = [python, "-m", "agentcheck", "run", "--format", "json"]
    yardstick = [python, "-c", _HANDSHAKES]
    with Vpc("healthy") as vpc:
        bare, imports, healthy = measure(vpc, [yardstick, [python, "-c", _IMPORTS], run])
    with Vpc("endpoint-blocked") as vpc:
        (black,) = measure(vpc, [run])
    for name, cost, wanted in (("healthy", healthy, 0), ("black-holed", black, 2)):
        if cost.status != wanted:
            raise SystemExit(f"bench: the {name} round ended with {cost.status}, not {wanted}")
    print(f"medians of {RUNS}, Python {sys.version.split()[0]}, in the simulated VPC\n")
    print(f"{'':<46}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}")
    for title, cost in (
        ("bare interpreter + three TLS handshakes", bare),
        ("bare interpreter + the round's libraries", imports),
        ("healthy round", healthy),
        ("black-holed round (endpoint-blocked)", black),
    ):
        print(f"{title:<46}{cost.wall:>8.3f}{cost.cpu:>8.3f}{cost.peak:>10.1f}")
    print(f"\nhealthy round / bare + handshakes:   {healthy.wall / bare.wall:.2f} times the wall")
    print(f"                                     {healthy.cpu / bare.cpu:.2f} times the CPU")
    print(f"                                     {healthy.peak / bare.peak:.2f} times the memory")
    print(f"healthy round / its own libraries:   {healthy.wall / imports.wall:.2f} times the wall")
    print(f"black-holed / healthy round:         {black.wall / healthy.wall:.1f} times the wall")


if __name__ == "__main__":
    main()
