"""Faults of what the service leans on: journal, D-Bus, settings, its own package, limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.booted import Machine
from tests.booted.faulty import CONFIG, SETTINGS, UNIT, Watched, eventually
from tests.vpc import Vpc
from tests.vpc.scenario import Rule

pytestmark = pytest.mark.booted

PACKAGE = "/usr/lib/python3/dist-packages/agentcheck"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Vpc("healthy") as vpc, Machine(vpc, {SETTINGS: CONFIG}) as booted:
        yield booted


@pytest.fixture
def watched(machine: Machine) -> Watched:
    return Watched(machine)


def test_without_dbus_rounds_are_as_good_as_before(watched: Watched) -> None:
    """Only what systemd alone can tell of the agent's unit is missing meanwhile."""
    machine = watched.machine
    with watched.fault("D-Bus gone", "dbus|D-Bus", times=(0,)):
        machine.systemctl("stop", "dbus.service", "dbus.socket")
        watched.wait_rounds(2)
        assert watched.report()["verdict"]["code"] == "healthy"
        machine.systemctl("start", "dbus.socket", "dbus.service")


def test_settings_of_rubbish_are_told_and_not_taken_over(watched: Watched) -> None:
    rubbish = {
        "a word": "printf '[daemon]\\ninterval = soon\\n' >",
        "bytes": "head -c 9999 /dev/urandom >",
        "a folder": "mkdir ",
    }
    for name, harm in rubbish.items():
        with watched.fault(f"settings of {name}, SIGHUP", "former settings") as fault:
            watched.sh(f"rm {SETTINGS}; {harm}{SETTINGS}")
            watched.machine.systemctl("reload", UNIT)
            fault.wait_told()
            watched.sh(f"rm -r {SETTINGS}")
            watched.machine.put(SETTINGS, CONFIG)
            watched.machine.systemctl("reload", UNIT)


def test_a_storm_of_signals_neither_ends_it_nor_fills_the_journal(watched: Watched) -> None:
    """A thousand of each; and then it still says that a disk fails."""
    storm = "import os\nfor _ in range(1000): os.kill({0}, 1); os.kill({0}, 10)"
    with watched.fault("1000 SIGHUP, 1000 SIGUSR1", "settings reloaded", range(1, 11)) as fault:
        watched.machine.check("python3", "-c", storm.format(watched.pid.inside))
        fault.wait_told()
    with watched.fault("SIGUSR1, SIGHUP to its rounds too", "^No verdict", times=(0,)):
        for name in ("USR1", "HUP"):
            watched.machine.systemctl("kill", f"--signal={name}", UNIT)
            watched.wait_rounds()
    with watched.fault("a folder in report.json's place after it", "report.json cannot") as fault:
        watched.sh("rm /run/agentcheck/report.json; mkdir /run/agentcheck/report.json")
        fault.wait_told()
        watched.sh("rmdir /run/agentcheck/report.json")


def test_an_upgrade_of_the_package_is_borne_at_each_of_its_moments(watched: Watched) -> None:
    """Files half gone, then all gone, then half new: only rounds fail, and that is told."""
    with watched.fault("package replaced", "^No verdict") as fault:
        watched.sh(f"mv {PACKAGE}/checks /root/checks")
        fault.wait_told()
        watched.sh(f"mv {PACKAGE} /root/agentcheck")
        watched.wait_rounds()
        watched.sh(f"cp -r /root/agentcheck {PACKAGE}")
        watched.sh(f"echo 'syntax error' >{PACKAGE}/runner.py; cp -r /root/checks {PACKAGE}")
        watched.wait_rounds()
        watched.sh(f"cp /root/agentcheck/runner.py {PACKAGE}/runner.py")


def test_without_files_or_processes_to_be_had_it_lives_and_says_so(watched: Watched) -> None:
    """The soft limits, as its own user may set them."""
    as_user = ["setpriv", "--reuid=agentcheck", "--regid=agentcheck", "--clear-groups"]
    command = [*as_user, "prlimit", f"--pid={watched.pid.inside}"]
    for limit, why in (("nofile=3", "Too many open files"), ("nproc=1", "Resource temporarily")):
        with watched.fault(f"limit {limit}", f"^No verdict.*could not be started .{why}") as fault:
            watched.machine.check(*command, f"--{limit}:")
            watched.machine.systemctl("kill", "--signal=USR1", UNIT)
            # The journal may be told later, the service manager must not be kept waiting.
            eventually(
                lambda why=why: why in watched.machine.show(UNIT, "StatusText")["StatusText"]
            )
            watched.machine.check(*command, f"--{limit.partition('=')[0]}=1024:")
            fault.wait_told()


def test_the_console_and_tmp_and_proc_may_fail(watched: Watched) -> None:
    machine = watched.machine
    with watched.fault("console gone", "^fail endpoint-blocked"):
        watched.sh("mv /dev/console /dev/console-gone")
        machine.update(rules=(Rule(),))
        eventually(lambda: watched.get("/healthz") == "fail endpoint-blocked\n")
        watched.sh("mv /dev/console-gone /dev/console")
        machine.update(rules=())
    with watched.fault("/tmp read-only", "tmp", times=(0,)):
        watched.in_its_sandbox("mount -t tmpfs -o ro x /tmp; mount -t tmpfs -o ro x /var/tmp")
        watched.wait_rounds(2)
        assert watched.report()["verdict"]["code"] == "healthy"
        watched.in_its_sandbox("umount /tmp /var/tmp")
    with watched.fault("/proc empty", "^No verdict") as fault:
        watched.in_its_sandbox("mount -t tmpfs x /proc")
        fault.wait_told()
        watched.machine.run(
            ["nsenter", f"--target={watched.pid.inside}", "--mount", "umount", "/proc"]
        )


@pytest.mark.parametrize(
    "units",
    [
        "systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket"
        " systemd-journald-audit.socket",
        "",
    ],
    ids=["stopped", "hangs"],
)
def test_what_was_to_be_told_while_there_was_no_journal_is_told_afterwards(
    watched: Watched, units: str
) -> None:
    """Meanwhile rounds go on, and who asks is answered."""
    machine = watched.machine
    journald = machine.pid_of("systemd-journald.service")
    name = f"journald {'stopped' if units else 'hangs'}"
    with watched.fault(name, "^fail endpoint-blocked") as fault:
        if units:
            machine.systemctl("stop", *units.split())
        else:
            machine.kill(journald, 19)  # SIGSTOP
        machine.update(rules=(Rule(),))
        eventually(lambda: watched.get("/healthz") == "fail endpoint-blocked\n")
        machine.update(rules=())
        eventually(lambda: watched.get("/healthz") == "ok healthy\n")
        if units:
            machine.systemctl("start", *reversed(units.split()))
        else:
            machine.kill(journald, 18)  # SIGCONT
        eventually(lambda: any("recovered: ok" in entry["MESSAGE"] for entry in fault.said()))
