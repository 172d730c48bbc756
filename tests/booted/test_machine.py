"""The machine itself, and what `agentcheck run` says on one: systemd is real here."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.booted import Machine, cgroups
from tests.reports import assert_no_secret, parse
from tests.vpc import LabError, Vpc, host
from tests.vpc.scenario import Agent, healthy

pytestmark = pytest.mark.booted

UNIT = "amazon-ssm-agent.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/override.conf"


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Vpc("healthy") as vpc, Machine(vpc) as booted:
        yield booted


def _report(machine: Machine) -> dict[str, Any]:
    return parse(machine.run(["agentcheck", "run", "--format", "json"], timeout=30))


def _check(report: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(check for check in report["checks"] if check["id"] == name)
    return found


def _eventually(happens: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _becomes(machine: Machine, state: str) -> None:
    _eventually(lambda: machine.show(UNIT, "SubState")["SubState"].startswith(state))


def test_it_boots_within_seconds_and_nothing_has_failed() -> None:
    with Vpc("healthy") as vpc:
        begun = time.monotonic()
        with Machine(vpc) as machine:
            assert time.monotonic() - begun < 20
            assert machine.state == "running"
            assert "Reached target" in machine.console
            assert machine.check("systemd-detect-virt").strip() == "systemd-nspawn"


@pytest.mark.parametrize("release", ["bullseye", "trixie"])
def test_other_releases_boot_too_and_their_agent_connects(release: str) -> None:
    with Vpc("healthy") as vpc, Machine(vpc, release=release) as machine:
        assert machine.state == "running"
        assert f"VERSION_CODENAME={release}" in machine.read("/etc/os-release")
        connected = ["ss", "-Htn", "state", "established", "dport = :443"]
        assert len(machine.check(*connected).splitlines()) == 1


def test_agentcheck_is_at_home_on_trixie() -> None:
    with Vpc("healthy") as vpc, Machine(vpc, release="trixie") as machine:
        assert _report(machine)["verdict"]["code"] == "healthy"
        _crash_and_wait(machine)
        assert _report(machine)["verdict"]["reason"] == "restarting"


def test_a_machine_in_order_is_healthy(machine: Machine) -> None:
    outcome = machine.run(["agentcheck", "run", "--format", "json"])
    report = parse(outcome)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert (report["verdict"]["code"], report["notes"]) == ("healthy", [])
    assert _check(report, "agent.enabled")["status"] == "ok"
    assert _check(report, "agent.enabled")["summary"] == f"{UNIT} is enabled"
    facts = _check(report, "agent.running")["facts"]
    assert (facts["unit"], facts["unit_file"]) == ("active/running", "enabled")
    assert machine.pid_of(UNIT).inside in facts["pids"]
    assert report["agent"]["connected"] is True
    assert _check(report, "ec2")["summary"] == "DMI says Amazon EC2"
    assert_no_secret(outcome)


def test_the_module_runs_as_well_as_the_command(machine: Machine) -> None:
    version = machine.check("agentcheck", "--version")
    assert machine.check("/usr/bin/python3", "-m", "agentcheck", "--version") == version


def _stop(machine: Machine) -> None:
    machine.systemctl("stop", UNIT)


def _disable(machine: Machine) -> None:
    machine.systemctl("disable", "--now", UNIT)


def _mask(machine: Machine) -> None:
    machine.systemctl("mask", "--now", UNIT)


def _mask_until_reboot(machine: Machine) -> None:
    machine.systemctl("mask", "--now", "--runtime", UNIT)


def _ask_for_a_reboot(machine: Machine) -> None:
    """Status 194, after which the unit is not to be started again."""
    machine.put(DROP_IN, "[Service]\nExecStart=\nExecStart=/bin/sh -c 'exit 194'\n")
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", UNIT)
    _becomes(machine, "failed")


def _crash_for_good(machine: Machine) -> None:
    machine.put(DROP_IN, "[Service]\nRestart=no\n")
    machine.systemctl("daemon-reload")
    machine.kill(machine.pid_of(UNIT), signal.SIGSEGV)
    _becomes(machine, "failed")


def _crash_and_wait(machine: Machine) -> None:
    machine.kill(machine.pid_of(UNIT), signal.SIGKILL)
    _becomes(machine, "auto-restart")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (_stop, "stopped"),
        (_disable, "disabled"),
        (_mask, "masked"),
        (_mask_until_reboot, "masked"),
        (_ask_for_a_reboot, "failed"),
        (_crash_for_good, "failed"),
        (_crash_and_wait, "restarting"),
    ],
)
def test_an_agent_that_does_not_run_has_its_reason(
    machine: Machine, end: Callable[[Machine], None], reason: str
) -> None:
    end(machine)
    report = _report(machine)
    assert [cause["code"] for cause in report["causes"]] == ["agent-not-running"]
    assert (report["status"], report["verdict"]["reason"]) == ("fail", reason)
    assert _check(report, "agent.running")["reason"] == reason


def test_a_failed_agent_is_told_with_its_end(machine: Machine) -> None:
    _ask_for_a_reboot(machine)
    evidence = " ".join(_report(machine)["verdict"]["evidence"])
    assert "with status 194, result exit-code" in evidence
    assert "last ended " in evidence


def test_a_masked_agent_starts_again_by_the_remedy(machine: Machine) -> None:
    _mask(machine)
    command = _report(machine)["verdict"]["remedy"][0].partition("Start it: ")[2]
    machine.check("/bin/sh", "-c", command)
    _eventually(lambda: _report(machine)["verdict"]["code"] == "healthy")


@pytest.mark.parametrize(("verb", "reason"), [("disable", "disabled"), ("mask", "masked")])
def test_an_agent_that_runs_now_only_is_not_enabled(
    machine: Machine, verb: str, reason: str
) -> None:
    machine.systemctl(verb, UNIT)
    report = _report(machine)
    assert [cause["code"] for cause in report["causes"]] == ["agent-not-enabled"]
    assert (report["status"], report["verdict"]["reason"]) == ("warn", reason)
    assert _check(report, "agent.enabled")["status"] == "warn"


@pytest.mark.parametrize(("connected", "status"), [(True, "warn"), (False, "fail")])
def test_a_proxy_in_the_units_drop_in_covers_imds(
    machine: Machine, connected: bool, status: str
) -> None:
    drop_in = '[Service]\nEnvironment="http_proxy=http://10.0.0.99:3128" "no_proxy=localhost"\n'
    machine.put(DROP_IN, drop_in)
    machine.update(agent=dataclasses.replace(machine.vpc.scenario.agent, connected=connected))
    machine.systemctl("daemon-reload")
    assert _report(machine)["verdict"]["code"] == "healthy"  # the agent still runs without it
    machine.systemctl("restart", UNIT)
    _eventually(lambda: _report(machine)["agent"]["connected"] is connected)
    verdict = _report(machine)["verdict"]
    assert (verdict["code"], verdict["status"]) == ("agent-proxy-covers-imds", status)


def test_the_network_is_that_of_the_vpc(machine: Machine) -> None:
    machine.vpc.nft("add element inet vpc denied { 10.0.1.10 . 443, 10.0.2.10 . 443 }")
    assert _report(machine)["verdict"]["code"] == "endpoint-blocked"
    assert sorted(os.listdir(f"/proc/{machine.leader}/root/sys/class/net")) == ["eth0", "lo"]


def test_an_entry_comes_back_from_the_journal_with_its_fields(machine: Machine) -> None:
    code = "import sys; from systemd.journal import send; send(sys.argv[1], AGENTCHECK_CHECK='x')"
    machine.check("python3", "-c", code, "two\nlines")
    (entry,) = machine.journal("AGENTCHECK_CHECK=x")
    assert (entry["MESSAGE"], entry["_UID"]) == ("two\nlines", "0")
    assert machine.journal("AGENTCHECK_CHECK=y") == []


def test_what_is_written_can_be_read_and_is_gone_with_the_machine() -> None:
    with Vpc("healthy") as vpc:
        with Machine(vpc, files={"/etc/agentcheck/agentcheck.conf": "[run]\n"}) as machine:
            machine.put("/usr/lib/here", "text", 0o640)
            assert machine.check("stat", "--format=%a %U", "/usr/lib/here") == "640 root\n"
            assert machine.read("/etc/agentcheck/agentcheck.conf") == "[run]\n"
        with Machine(vpc) as machine:
            assert not Path(f"/proc/{machine.leader}/root/usr/lib/here").exists()


def test_what_is_on_its_disk_outlives_a_reboot(machine: Machine) -> None:
    machine.put("/var/lib/here", "text")
    machine.put("/run/there", "text")
    machine.systemctl("disable", UNIT)
    before = machine.read("/proc/sys/kernel/random/boot_id")
    machine.reboot()
    assert machine.read("/proc/sys/kernel/random/boot_id") != before
    assert machine.read("/var/lib/here") == "text"
    assert not Path(f"/proc/{machine.leader}/root/run/there").exists()
    assert _report(machine)["verdict"]["reason"] == "disabled"


def test_what_a_package_declares_is_there_after_the_boot() -> None:
    catalog = "-- 0123456789abcdef0123456789abcdef\nSubject: Of the lab\n\nExplained.\n"
    files = {
        "/usr/lib/systemd/catalog/lab.catalog": catalog,
        "/usr/lib/sysusers.d/lab.conf": "u lab-user - -\n",
        "/usr/lib/tmpfiles.d/lab.conf": "d /var/lib/lab 0750 lab-user lab-user\n",
    }
    with Vpc("healthy") as vpc, Machine(vpc, files=files) as machine:
        assert machine.check("stat", "--format=%a %U", "/var/lib/lab") == "750 lab-user\n"
        shown = machine.check("journalctl", "--dump-catalog", "0123456789abcdef0123456789abcdef")
        assert shown.rstrip() == catalog.rstrip()


def test_the_package_gives_the_agents_folders_to_root_alone(machine: Machine) -> None:
    for folder in ("/var/log/amazon/ssm", "/var/lib/amazon/ssm"):
        assert machine.check("stat", "--format=%a %U", folder) == "700 root\n"
    asked = ("dpkg-query", "--show", "--showformat=${Version}", "amazon-ssm-agent")
    assert machine.check(*asked) == healthy().agent.package_version


def test_servers_on_its_loopback_answer(machine: Machine) -> None:
    machine.put("/srv/page", "here")
    machine.systemctl("reset-failed")
    command = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/srv", "9257"]
    machine.check("systemd-run", "--quiet", "--unit=server", *command)

    def answers() -> bool:
        try:
            return machine.http(9257, "/page").body == "here"
        except ConnectionRefusedError:
            return False

    _eventually(answers)
    assert machine.http(9257, "/none").status == 404
    assert machine.pid_of("server").inside != machine.pid_of("server").outside


def test_a_command_that_takes_too_long_ends(machine: Machine) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        machine.run(["sleep", "4711"], timeout=0.3)
    _eventually(lambda: machine.run(["pgrep", "-f", "sleep 4711"]).returncode == 1)


def test_two_machines_stand_side_by_side() -> None:
    stopped = healthy(agent=Agent(running=False), name="stopped")
    with Vpc("healthy") as one, Vpc(stopped) as other:
        with Machine(one) as first, Machine(other) as second:
            assert _report(first)["verdict"]["code"] == "healthy"
            assert _report(second)["verdict"]["code"] == "agent-not-running"
            second.systemctl("poweroff")
        assert first.name != second.name


def _left(name: str, namespaces: set[str]) -> list[str]:
    """What there is of a machine: groups, files, mounts and processes."""
    found = [str(folder) for folder in cgroups.folders(name) if folder.exists()]
    found += [str(path) for path in Path(tempfile.gettempdir()).glob(f"{name}*")]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_text() + (process / "mountinfo").read_text()
            own = {os.readlink(link) for link in (process / "ns").iterdir()}
        except OSError:
            continue
        if name in told or own & namespaces:
            found.append(f"{process}: {told[:80]}")
    return found


def _namespaces(machine: Machine) -> set[str]:
    """Those that the machine does not share with us or with the VPC."""
    links = {os.readlink(path) for path in Path(f"/proc/{machine.leader}/ns").iterdir()}
    ours = {os.readlink(path) for path in Path("/proc/self/ns").iterdir()}
    return links - ours - {os.readlink(machine.vpc.network)}


def test_nothing_is_left_behind() -> None:
    with Vpc("healthy") as vpc:
        with Machine(vpc) as machine:
            name, namespaces = machine.name, _namespaces(machine)
            assert len(namespaces) >= 4
            assert len(_left(name, namespaces)) > 4
        assert _left(name, namespaces) == []
        assert "System Halt" in machine.console


def test_nothing_is_left_behind_by_a_failure() -> None:
    seen = []

    def fail(machine: Machine) -> None:
        seen.append((machine.name, _namespaces(machine)))
        raise ZeroDivisionError

    with Vpc("healthy") as vpc:
        with pytest.raises(ZeroDivisionError), Machine(vpc) as machine:
            fail(machine)
        assert _left(*seen[0]) == []


def test_nothing_is_left_behind_by_a_machine_that_cannot_boot() -> None:
    with Vpc("healthy") as vpc:
        machine = Machine(vpc, options=["--no-such-option"])
        with pytest.raises(LabError, match="no-such-option"), machine:
            pass
        assert _left(machine.name, set()) == []


def test_a_machine_that_does_not_shut_down_is_cut_off() -> None:
    stubborn = "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'\n"
    with Vpc("healthy") as vpc:
        with Machine(vpc, files={"/etc/systemd/system/stubborn.service": stubborn}) as machine:
            machine.systemctl("start", "stubborn")
            name, namespaces = machine.name, _namespaces(machine)
            begun = time.monotonic()
        assert time.monotonic() - begun < 15
        assert _left(name, namespaces) == []


def test_nothing_is_left_behind_when_the_keeper_is_killed() -> None:
    with Vpc("healthy") as vpc:
        with Machine(vpc) as machine:
            name, namespaces = machine.name, _namespaces(machine)
            os.kill(machine.keeper, signal.SIGKILL)
        assert _left(name, namespaces) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind_when_the_tests_are_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    code = (
        "import signal, time\n"
        "from tests.booted import Machine\n"
        "from tests.vpc import Vpc\n"
        # A shell's background jobs, and what they start, would not hear it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with Vpc('healthy') as vpc, Machine(vpc) as machine:\n"
        "    print(machine.name, flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(host.ROOT), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert name
    process.send_signal(number)
    process.communicate(timeout=20)
    _eventually(lambda: _left(name, set()) == [] and not list(tmp_path.glob(f"{name}*")), 15)
