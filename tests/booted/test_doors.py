"""The sandbox of the units, tried from inside: see the table in doors.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.booted import Machine, doors
from tests.vpc import Vpc

pytestmark = pytest.mark.booted

PROGRAM = "#!/usr/bin/python3 -I\n" + Path(doors.__file__).read_text("utf-8")
# systemd-nspawn closes doors of its own, behind which those of the units could not be told.
WIDE = (
    "--capability=all",
    "--system-call-filter=@keyring @debug @module @clock @swap @reboot @raw-io acct bpf "
    "fanotify_init kexec_load open_by_handle_at syslog userfaultfd",
)
CORE = "core size"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    files = {doors.SECRET: "x", "/root/door": "x"}
    with Vpc("healthy") as vpc, Machine(vpc, files, options=WIDE) as booted:
        booted.put(doors.SECRET, "x", 0o600)
        booted.put("/usr/bin/agentcheck", PROGRAM, 0o755)
        for name, minor in (("mem", "1"), ("kmsg", "11")):  # which a machine of nspawn has not
            booted.check("mknod", "-m", "600", f"/dev/{name}", "c", "1", minor)
        yield booted


def found(machine: Machine, unit: str) -> dict[str, str]:
    """What the unit, started as it is, found in its sandbox."""
    machine.systemctl("start", unit)
    entries = machine.journal(f"_SYSTEMD_UNIT={unit}")
    (said,) = [e["MESSAGE"] for e in entries if e["MESSAGE"].startswith("{")]
    results: dict[str, str] = json.loads(said)
    return results


def test_every_door_is_as_the_table_says_for_the_daemon_and_the_boot_run(machine: Machine) -> None:
    daemon = found(machine, "agentcheck.service")
    machine.systemctl("start", "--wait", "agentcheck-boot.service")
    boot = found(machine, "agentcheck-boot.service")
    assert daemon.pop(CORE) == boot.pop(CORE) == "0"
    assert daemon == {door.what: door.daemon for door in doors.DOORS}
    assert boot == {door.what: door.boot or door.daemon for door in doors.DOORS}


def test_without_the_sandbox_root_finds_none_of_these_doors_closed_like_that(
    machine: Machine,
) -> None:
    """What shows that it is the units that close them, and not the machine or a wrong attempt."""
    bare = json.loads(machine.check("systemd-run", "-q", "--pipe", "--wait", "/usr/bin/agentcheck"))
    closed = {d.what: d.daemon for d in doors.DOORS if d.daemon != doors.OPEN}
    assert {what: bare[what] for what in closed if bare[what] == closed[what]} == {}


def test_every_open_door_has_its_reason() -> None:
    assert not [d.what for d in doors.DOORS if doors.OPEN in (d.daemon, d.boot) and not d.why]
