"""Faults of the disk under the running service: what it cannot write costs what is in it, it is
told once, and once the fault is mended the files are whole and up to date again."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from tests.booted import Machine
from tests.booted.faulty import CONFIG, HISTORY, REPORT, SETTINGS, UNIT, Watched, eventually
from tests.vpc import Vpc

pytestmark = pytest.mark.booted

PERMISSION = "/run/agentcheck/permission.json"
TEXTFILE = "/run/agentcheck/textfile/agentcheck.prom"
# A file system of its own each, which can be filled and made read-only for everybody at once.
_DISKS = """\
mkdir /tmp/var
cp -a /var/. /tmp/var
mount -t tmpfs -o mode=755 var /var
cp -a /tmp/var/. /var
rm -r /tmp/var
mkdir -p /run/agentcheck
mount -t tmpfs -o mode=755 run /run/agentcheck
mkdir /run/agentcheck/textfile
chown -R agentcheck: /run/agentcheck
"""
# What is told of a disk cannot be told on it.
_VOLATILE = "[Journal]\nStorage=volatile\n"
# No larger than what is in use.
_FULL = """\
for disk in /var /run/agentcheck; do
    mount -o "remount,size=$(($(df --output=used -B1 $disk | tail -1)))" $disk
done
"""
_NO_INODES = """\
for disk in /var /run/agentcheck; do
    mount -o "remount,nr_inodes=$(($(df --output=iused $disk | tail -1)))" $disk
done
"""
_READ_ONLY = "mount -o remount,ro /var"
_ROOM = "for disk in /var /run/agentcheck; do mount -o remount,rw,size=50%,nr_inodes=1m $disk; done"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    settings = f"{CONFIG}[state]\ntextfile = {TEXTFILE}\n"
    files = {
        SETTINGS: settings,
        "/etc/systemd/journald.conf.d/fault.conf": _VOLATILE,
        f"/etc/systemd/system/{UNIT}.d/soon.conf": "[Service]\nRestartSec=100ms\n",
    }
    with Vpc("healthy") as vpc, Machine(vpc, files) as machine:
        machine.check("sh", "-euc", _DISKS)
        yield machine


@pytest.fixture
def watched(machine: Machine) -> Watched:
    return Watched(machine)


def test_a_disk_that_takes_nothing_is_told_and_later_all_is_written(watched: Watched) -> None:
    """The verdict changes too, as the agent cannot write; that change comes to the history late."""
    full = "report.json cannot be written: No space left on device"
    read_only = "history.json cannot be written: Read-only file system"
    harms = [("disk full", _FULL, full), ("no inodes", _NO_INODES, full)]
    for name, harm, told in [*harms, ("read-only /var", _READ_ONLY, read_only)]:
        with watched.fault(name, told) as fault:
            watched.sh(harm)
            fault.wait_told()
            watched.sh(_ROOM)


def test_it_starts_on_a_disk_that_takes_nothing_too(watched: Watched) -> None:
    watched.sh(_FULL)
    watched.machine.systemctl("restart", UNIT)
    eventually(lambda: watched.get("/healthz") == "warn disk-full\n")
    said = watched.machine.journal(f"_PID={watched.pid.inside}")
    assert any("report.json cannot be written" in entry["MESSAGE"] for entry in said)
    watched.sh(_ROOM)
    watched.wait_well()


def is_json(text: str) -> bool:
    try:
        return bool(json.loads(text))
    except ValueError:
        return False


def test_files_that_somebody_spoils_are_written_anew_from_memory(watched: Watched) -> None:
    """The history too, which else waits for the next change: until then it would seem lost."""
    history = watched.kept(HISTORY)
    for harm in ("rm -f", "cp /usr/bin/env"):
        with watched.fault(f"state files: {harm}", "cannot", times=(0,)):
            for path in (REPORT, HISTORY, PERMISSION):
                watched.sh(f"{harm} {path}")
            eventually(lambda: is_json(watched.machine.run(["cat", HISTORY]).stdout))
        assert watched.kept(HISTORY) == history


def test_a_folder_in_the_place_of_a_file_is_told_and_bears_the_file_once_it_is_gone(
    watched: Watched,
) -> None:
    paths = f"{REPORT} {HISTORY} {PERMISSION}"
    with watched.fault("state files: folders", "report.json cannot be written: Is a dir") as fault:
        watched.sh(f"rm {paths}; mkdir {paths}; touch {REPORT}/x {HISTORY}/x")
        fault.wait_told()
        watched.sh(f"rm -r {paths}")


def test_the_textfiles_folder_may_go_and_come_back(watched: Watched) -> None:
    folder = TEXTFILE.rpartition("/")[0]
    with watched.fault("textfile's folder gone", "agentcheck.prom cannot be written") as fault:
        watched.sh(f"rm -r {folder}")
        fault.wait_told()
        watched.sh(f"install -d -o agentcheck {folder}")
    assert "agentcheck_healthy 1" in watched.machine.read(TEXTFILE)


def test_a_run_dir_that_is_gone_is_made_anew_by_the_service_manager(watched: Watched) -> None:
    """Within its sandbox the daemon could not: it ends, and is started with a folder again."""
    with watched.fault("run dir removed", "run_dir is gone", restarts=1) as fault:
        watched.sh("umount /run/agentcheck; rm -rf /run/agentcheck")
        fault.wait_told()


def test_killed_again_and_again_amid_its_writing_it_comes_back_with_its_files(
    watched: Watched,
) -> None:
    times = 3
    with watched.fault("kill -9 of the daemon", "status=9/KILL", (times,), times, most=60):
        for _ in range(times):
            process = watched.pid
            eventually(lambda: watched.rounds() > 0)
            watched.machine.kill(process, signal.SIGKILL)
            eventually(lambda: watched.machine.show(UNIT, "MainPID")["MainPID"] != "0")
