"""Faults of the rounds and of what they share with the daemon: memory, time, the network."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.booted import Machine
from tests.booted.faulty import CONFIG, SETTINGS, UNIT, Watched, eventually
from tests.vpc import Vpc

pytestmark = pytest.mark.booted

FLAP_S = float(os.environ.get("AGENTCHECK_FLAP_S", "16"))
QUICK = "[Service]\nWatchdogSec=3\nRestartSec=100ms\n"
_OPEN, _CLOSED = "flush set inet vpc denied", "add element inet vpc denied { %s }"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    files = {SETTINGS: CONFIG, f"/etc/systemd/system/{UNIT}.d/quick.conf": QUICK}
    with Vpc("healthy") as vpc, Machine(vpc, files) as booted:
        yield booted


@pytest.fixture
def watched(machine: Machine) -> Watched:
    return Watched(machine)


@contextmanager
def group(controller: str, name: str) -> Iterator[Path]:
    """A control group of the host, which the machine's systemd knows nothing of."""
    root = Path("/sys/fs/cgroup", controller)
    if not (root / "cgroup.procs").exists():
        pytest.skip(f"this host has no old control groups of {controller}")
    made = root / name
    made.mkdir()
    try:
        yield made
    finally:
        for process in (made / "cgroup.procs").read_text().split():
            (root / "cgroup.procs").write_text(process)
        eventually(lambda: not (made / "cgroup.procs").read_text(), 5)
        made.rmdir()


def test_a_round_that_stops_is_killed_after_its_deadline(watched: Watched) -> None:
    with watched.fault("SIGSTOP of a round", "^No verdict.*did not end in time") as fault:
        watched.machine.kill(watched.a_round(), signal.SIGSTOP)
        begun = time.monotonic()
        fault.wait_told()
        assert time.monotonic() - begun < 3 + 3 + 2  # deadline, grace, and a bit


def test_a_round_that_not_even_sigkill_ends_is_alone_of_its_kind(watched: Watched) -> None:
    """Stuck in the kernel, as on a file system that is away: others are not piled upon it."""
    with (
        group("freezer", watched.machine.name) as frozen,
        watched.fault("a round that cannot be killed", "^No verdict") as fault,
    ):
        (frozen / "cgroup.procs").write_text(str(watched.a_round().outside))
        (frozen / "freezer.state").write_text("FROZEN")
        fault.wait_told()
        eventually(lambda: "stuck in the kernel" in watched.report()["verdict"]["summary"])
        eventually(lambda: watched.get("/healthz") == "unknown could-not-tell\n")
        (frozen / "freezer.state").write_text("THAWED")


def test_what_memory_is_short_of_is_the_round_and_not_the_daemon(watched: Watched) -> None:
    """With room for the daemon and no more each round is killed; it is told once."""
    with group("memory", watched.machine.name) as memory:
        # It is of the group from its start, so that what it uses counts.
        (memory / "cgroup.procs").write_text(str(watched.machine.leader))
        watched.machine.systemctl("restart", UNIT)
        (memory.parent / "cgroup.procs").write_text(str(watched.machine.leader))
        limit = memory / "memory.limit_in_bytes"
        with watched.fault("out of memory", "^No verdict.*by the kernel") as fault:
            status = Path(f"/proc/{watched.pid.outside}/status").read_text()
            size = int(status.partition("VmRSS:")[2].split()[0])
            limit.write_text(f"{size + 1024}K")
            fault.wait_told()
            watched.wait_rounds(2)
            assert watched.report()["verdict"]["reason"] == "round-lost"
            limit.write_text("-1")


def test_one_round_out_of_memory_is_no_news_but_a_line(watched: Watched) -> None:
    with (
        group("memory", watched.machine.name) as memory,
        watched.fault("OOM kill of one round", "^No verdict.*killed .by the kernel") as fault,
    ):
        caught = watched.a_round()
        assert Path(f"/proc/{caught.outside}/oom_score_adj").read_text() == "1000\n"
        (memory / "memory.limit_in_bytes").write_text("1M")
        (memory / "cgroup.procs").write_text(str(caught.outside))
        fault.wait_told()
        assert watched.get("/healthz") == "ok healthy\n"


def test_a_daemon_that_was_stopped_for_a_while_goes_on_and_for_long_is_started_anew(
    watched: Watched,
) -> None:
    with watched.fault("SIGSTOP of the daemon, 2 s", "^No verdict", times=(0,)):
        watched.machine.kill(watched.pid, signal.SIGSTOP)
        time.sleep(2)  # the fault itself
        watched.machine.kill(watched.pid, signal.SIGCONT)
    with watched.fault("SIGSTOP of the daemon", "Watchdog timeout", restarts=1) as fault:
        watched.machine.kill(watched.pid, signal.SIGSTOP)
        asked = watched.machine.run(["agentcheck", "status", "--format", "json"])
        assert json.loads(asked.stdout)["verdict"]["code"] == "healthy"
        fault.wait_told()
        eventually(lambda: watched.restarts() == 1)


def test_a_network_that_flaps_every_second_floods_nobody(watched: Watched) -> None:
    """As a security group that is denied and allowed in turn; then the status is right at once."""
    addresses = ", ".join(f"10.0.{zone}.{host} . 443" for zone in (1, 2) for host in (10, 11))
    with watched.fault(f"flapping, {FLAP_S:.0f} s", "^(fail|warn) ", range(9), changes=10, most=80):
        end = time.monotonic() + FLAP_S
        while time.monotonic() < end:
            watched.machine.vpc.nft(_CLOSED % addresses)
            time.sleep(1)  # the fault itself
            watched.machine.vpc.nft(_OPEN)
            time.sleep(1)
        history = watched.kept("/var/lib/agentcheck/history.json")
        assert len(history) <= 1 + FLAP_S / 2
