"""The boot run on a machine that systemd boots: what it says, where, and that it holds nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentcheck.verbs.read_console import Told, cleaned, find
from tests.booted import Machine
from tests.vpc import Vpc, host
from tests.vpc.scenario import INSTANCE_ID, healthy

pytestmark = pytest.mark.booted

UNIT = "agentcheck-boot.service"
DAEMON = "agentcheck.service"
AGENT = "amazon-ssm-agent.service"
SWITCH = "/etc/agentcheck/disable-boot"
# As `systemctl enable` does, but before the machine's first boot.
WANTED = {
    "/etc/systemd/system/multi-user.target.d/boot.conf": f"[Unit]\nWants={UNIT}\n",
}
BOTH = {
    "/etc/systemd/system/multi-user.target.d/boot.conf": f"[Unit]\nWants={UNIT} {DAEMON}\n",
    "/etc/agentcheck/agentcheck.conf": "[daemon]\ninterval = 3s\njitter = 0%\nboot_grace = 1s\n",
}
LATE_NETWORK = """\
[Unit]
Before=network-online.target
[Service]
Type=oneshot
ExecStart=sleep 6
[Install]
WantedBy=network-online.target
"""
NO_ROLE = dataclasses.replace(healthy().imds, profile=False)


def eventually(happens: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def ended(machine: Machine) -> bool:
    shown = machine.show(UNIT, "ActiveState", "ExecMainExitTimestampMonotonic")
    return (
        shown["ActiveState"] in ("inactive", "failed")
        and shown["ExecMainExitTimestampMonotonic"] != "0"
    )


def said(machine: Machine) -> list[str]:
    """The run's own entries, not systemd's about it."""
    return [str(entry["MESSAGE"]) for entry in machine.journal(f"_SYSTEMD_UNIT={UNIT}")]


def told(machine: Machine) -> Told:
    """What an operator reads from outside."""
    found, _ = find(cleaned(machine.console.encode()))
    assert found is not None
    return found


def moment(machine: Machine, unit: str, name: str) -> int:
    """Microseconds since the kernel's start."""
    return int(machine.show(unit, name)[name])


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Vpc("healthy") as vpc, Machine(vpc, WANTED) as booted:
        yield booted


@pytest.mark.parametrize("release", ["bullseye", "bookworm", "trixie"])
def test_a_boot_tells_the_verdict_on_the_console_and_in_the_journal(release: str) -> None:
    """Enabled as an administrator does it; at each boot anew."""
    with Vpc("healthy") as vpc, Machine(vpc, release=release) as machine:
        machine.systemctl("enable", UNIT)
        assert "agentcheck: " not in machine.console
        machine.reboot()
        eventually(lambda: ended(machine))
        assert machine.state == "running"
        eventually(lambda: "SUMMARY" in machine.console)
        assert (told(machine).verdict, told(machine).instance) == ("healthy", INSTANCE_ID)
        assert told(machine).lines[0] == "OK healthy"
        lines = said(machine)
        assert any(line.startswith(f"OK healthy  {INSTANCE_ID}") for line in lines)
        assert not any(line.startswith("agentcheck: ") for line in lines)
        shown = machine.show(UNIT, "Result", "ExecMainStatus", "ActiveState")
        assert shown == {"Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"}


def test_a_failure_is_told_with_its_first_step_and_is_no_failed_unit() -> None:
    drop_in = {
        f"/etc/systemd/system/{UNIT}.d/short.conf": "[Service]\nExecStart=\n"
        "ExecStart=/usr/bin/agentcheck run --wait 1s --console --trigger boot\n"
    }
    with Vpc("role-missing") as vpc, Machine(vpc, {**WANTED, **drop_in}) as machine:
        eventually(lambda: ended(machine))
        assert machine.show(UNIT, "Result", "ExecMainStatus") == {
            "Result": "success",
            "ExecMainStatus": "2",
        }
        assert machine.systemctl("list-units", "--failed", "--plain", "--no-legend") == ""
        assert (told(machine).status, told(machine).verdict) == ("fail", "role-missing")
        assert any("aws ec2 associate-iam-instance-profile" in line for line in told(machine).lines)
        assert sum(line.startswith("FAIL role-missing") for line in said(machine)) == 1


def test_beside_the_daemon_each_says_its_own() -> None:
    with Vpc("healthy") as vpc, Machine(vpc, BOTH) as machine:
        eventually(lambda: ended(machine))
        assert any(line.startswith("OK healthy") for line in said(machine))
        eventually(lambda: machine.console.count("SUMMARY status=ok verdict=healthy") >= 2)
        assert told(machine).verdict == "healthy"
        eventually(lambda: machine.run(["agentcheck", "history"]).stdout.startswith("ok healthy"))
        shown = machine.show(DAEMON, "ActiveState", "NRestarts")
        assert shown == {"ActiveState": "active", "NRestarts": "0"}


def test_the_boot_is_over_while_it_waits() -> None:
    """No network and no role for long: the machine is up all the same, and can be stopped."""
    with Vpc(healthy(imds=NO_ROLE, default_route=False, imds_route=False)) as vpc:
        begun = time.monotonic()
        with Machine(vpc, WANTED) as machine:
            assert machine.state == "running"
            eventually(lambda: said(machine))
            assert time.monotonic() - begun < 20
            assert machine.show(UNIT, "ActiveState")["ActiveState"] == "active"
            begun = time.monotonic()
            machine.systemctl("stop", UNIT)
            assert time.monotonic() - begun < 8
            shown = machine.show(UNIT, "Result", "ExecMainStatus")
            assert shown["Result"] == "success"
            assert "SUMMARY" not in machine.console


def test_it_waits_for_the_network_and_nothing_waits_for_it() -> None:
    files = {
        "/etc/systemd/system/late-network.service": LATE_NETWORK,
        "/etc/systemd/system/network-online.target.d/late.conf": "[Unit]\n"
        "Wants=late-network.service\nAfter=late-network.service\n",
        # Somebody else wants the network, as cloud-init does.
        "/etc/systemd/system/needy.service": "[Unit]\nWants=network-online.target\n"
        "[Service]\nExecStart=true\n",
        "/etc/systemd/system/multi-user.target.d/boot.conf": "[Unit]\n"
        f"Wants={UNIT} needy.service\n",
    }
    # Its unit is ordered behind the network, and so holds multi-user.target on an instance.
    agent = dataclasses.replace(healthy().agent, running=False)
    with Vpc(healthy(agent=agent)) as vpc, Machine(vpc, files) as machine:
        eventually(lambda: moment(machine, UNIT, "ExecMainStartTimestampMonotonic"))
        start = moment(machine, UNIT, "ExecMainStartTimestampMonotonic")
        up = moment(machine, "multi-user.target", "ActiveEnterTimestampMonotonic")
        online = moment(machine, "late-network.service", "ExecMainExitTimestampMonotonic")
        assert 0 < up < online - 3_000_000 < online <= start
        before = machine.show("multi-user.target", "After")["After"].split()
        assert UNIT not in before


def test_a_first_boot_ends_healthy_with_one_quiet_line_and_no_false_failure() -> None:
    """The network comes late and the role later; by hand at 20 and 60 seconds."""
    exact = os.environ.get("AGENTCHECK_TEST_FIRST_BOOT")  # 20,60
    delays = [float(word) for word in exact.split(",")] if exact else []
    with (
        Vpc(healthy(imds=NO_ROLE, default_route=False, imds_route=False)) as vpc,
        Machine(vpc, WANTED) as machine,
    ):
        begun = time.monotonic()
        if delays:
            time.sleep(delays[0])
        eventually(lambda: said(machine))
        machine.update(default_route=True, imds_route=True)
        if delays:
            time.sleep(delays[1] - (time.monotonic() - begun))
        eventually(lambda: any("security-credentials" in line for line in vpc.served))
        machine.update(imds=healthy().imds)
        machine.systemctl("restart", AGENT)  # which would try again by itself, in a while
        eventually(lambda: ended(machine))
        lines = said(machine)
        waits = [line for line in lines if line.startswith("agentcheck: ")]
        assert len(waits) == 1
        assert waits[0].startswith("agentcheck: waiting 5m at most, not yet ok: imds-unreachable")
        assert lines[0] == waits[0]
        assert lines[1].startswith("OK healthy")
        assert not any(re.search(r"\bFAIL\b|^ *fail\b|: fail", line) for line in lines)
        assert told(machine).verdict == "healthy"
        assert "status=fail" not in machine.console


def test_the_switch_keeps_it_from_running() -> None:
    with Vpc("healthy") as vpc, Machine(vpc, {**WANTED, SWITCH: ""}) as machine:
        assert machine.show(UNIT, "ConditionResult", "ActiveState") == {
            "ConditionResult": "no",
            "ActiveState": "inactive",
        }
        assert (machine.state, said(machine)) == ("running", [])
        assert "agentcheck: " not in machine.console
        machine.put(SWITCH, None)
        machine.systemctl("start", UNIT)
        eventually(lambda: ended(machine))
        assert told(machine).verdict == "healthy"


def test_a_wrong_configuration_is_a_failed_unit_that_names_the_place() -> None:
    files = {**WANTED, "/etc/agentcheck/agentcheck.conf": "[run]\ndeadline = soon\n"}
    with Vpc("healthy") as vpc, Machine(vpc, files) as machine:
        eventually(lambda: ended(machine))
        shown = machine.show(UNIT, "ActiveState", "ExecMainStatus")
        assert shown == {"ActiveState": "failed", "ExecMainStatus": "78"}
        (line,) = said(machine)
        assert "/etc/agentcheck/agentcheck.conf:2: [run] deadline = soon" in line


def test_root_without_roots_rights_sees_what_root_sees(machine: Machine) -> None:
    """The sandbox hides neither the agent nor the disk; and it has two capabilities only."""
    eventually(lambda: ended(machine))
    program = "/usr/bin/agentcheck run --console --trigger boot --format json"
    drop_in = f"/run/systemd/system/{UNIT}.d/json.conf"
    machine.put(drop_in, f"[Service]\nExecStart=\nExecStart={program}\n")
    machine.systemctl("daemon-reload")
    machine.systemctl("start", UNIT)
    eventually(lambda: any(line == "}" for line in said(machine)))
    lines = said(machine)
    own: dict[str, Any] = json.loads("\n".join(lines[len(lines) - lines[::-1].index("{") - 1 :]))
    free = json.loads(machine.run(["agentcheck", "run", "--format", "json"]).stdout)
    states = [{c["id"]: (c["status"], c["reason"]) for c in r["checks"]} for r in (own, free)]
    assert states[0] == states[1]
    assert own["agent"] == free["agent"]
    machine.put(drop_in, "[Service]\nExecStart=\nExecStart=grep Cap /proc/self/status\n")
    machine.systemctl("daemon-reload")
    machine.systemctl("start", UNIT)
    eventually(lambda: any(line.startswith("CapBnd") for line in said(machine)))
    (bounding,) = [line for line in said(machine) if line.startswith("CapBnd")]
    assert int(bounding.split()[1], 16) == 1 << 2 | 1 << 19  # DAC_READ_SEARCH, SYS_PTRACE


def test_who_waits_for_the_verdict_gets_it() -> None:
    """ExecStopPost= of the example, beyond the sandbox; a recorder in the place of the AWS CLI."""
    examples = host.ROOT / "packaging/boot"
    place = f"/etc/systemd/system/{UNIT}.d"
    short = "[Service]\nExecStart=\nExecStart=/usr/bin/agentcheck run --console --trigger boot\n"
    curl = (
        "#!/bin/sh\nfor word; do :; done\n"
        f"case $word in */token | PUT) echo t;; */instance-id) echo {INSTANCE_ID};;"
        " */region) echo us-east-1;; *) exit 22;; esac\n"
    )
    record = '#!/bin/sh\necho "told: $*"\ngrep CapEff /proc/self/status\ntouch /root/outside\n'
    files = {
        **WANTED,
        SWITCH: "",
        f"{place}/autoscaling.conf": (examples / "autoscaling.conf").read_bytes(),
        f"{place}/short.conf": short,
        "/usr/local/lib/agentcheck/autoscaling.sh": (examples / "autoscaling.sh").read_bytes(),
    }
    for name, status, result in (("healthy", "0", "CONTINUE"), ("role-missing", "2", "ABANDON")):
        with Vpc(name) as vpc, Machine(vpc, files) as machine:
            for path, text in (("curl", curl), ("aws", record)):
                machine.put(f"/usr/local/bin/{path}", text, 0o755)
            machine.check("chmod", "+x", "/usr/local/lib/agentcheck/autoscaling.sh")
            machine.put(SWITCH, None)
            machine.systemctl("start", UNIT)
            eventually(lambda: any("told: " in line for line in said(machine)))
            eventually(lambda: ended(machine))
            (told_line,) = [line for line in said(machine) if line.startswith("told: ")]
            assert told_line == (
                "told: autoscaling complete-lifecycle-action --region us-east-1"
                " --auto-scaling-group-name my-group --lifecycle-hook-name session-manager"
                f" --instance-id {INSTANCE_ID} --lifecycle-action-result {result}"
            )
            shown = machine.show(UNIT, "Result", "ExecMainStatus")
            assert shown == {"Result": "success", "ExecMainStatus": status}
            machine.check("test", "-e", "/root/outside")


def test_systemd_has_nothing_to_say_of_the_unit(machine: Machine) -> None:
    verified = machine.run(["systemd-analyze", "verify", f"/usr/lib/systemd/system/{UNIT}"])
    complaints = [line for line in verified.stderr.splitlines() if "man agentcheck" not in line]
    assert (complaints, verified.stdout) == ([], "")
    rated = machine.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=24", "--no-pager", UNIT]
    )
    assert rated.returncode == 0, rated.stdout[-400:]
