"""The service on a machine that systemd has booted: what it sees, says and survives."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentcheck.daemon.journal import MESSAGE_IDS
from tests.booted import Machine
from tests.reports import parse
from tests.vpc import Vpc
from tests.vpc.scenario import Rule

pytestmark = pytest.mark.booted

UNIT = "agentcheck.service"
PORT = 9257
CONFIG = f"""\
[daemon]
interval = 3s
jitter = 0%
boot_grace = 1s
[http]
listen = 127.0.0.1:{PORT}
"""
BLOCKED = (Rule(),)
# A round with a black hole takes 4 s, and two of them make a change.
SOON = 30.0


@pytest.fixture
def machine() -> Iterator[Machine]:
    """The service is enabled and has made its first confirmed rounds."""
    with Vpc("healthy") as vpc, Machine(vpc, {"/etc/agentcheck/agentcheck.conf": CONFIG}) as booted:
        booted.systemctl("enable", "--now", UNIT)  # returns once it has said READY
        eventually(lambda: healthz(booted)[0] == 200)
        yield booted


def eventually(happens: Callable[[], bool], seconds: float = SOON) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def healthz(machine: Machine) -> tuple[int, str]:
    """Status and body; 0 while nobody listens."""
    try:
        answer = machine.http(PORT, "/healthz")
    except OSError:
        return 0, ""
    return answer.status, answer.body


def status(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(machine.http(PORT, "/status").body)
    return found


def entries(machine: Machine, event: str) -> list[dict[str, Any]]:
    return machine.journal(f"MESSAGE_ID={MESSAGE_IDS[event]}")


def test_it_starts_says_ready_and_serves_what_its_rounds_found(machine: Machine) -> None:
    shown = machine.show(UNIT, "ActiveState", "StatusText", "User", "NRestarts")
    assert (shown["ActiveState"], shown["NRestarts"]) == ("active", "0")
    assert shown["StatusText"].startswith("ok healthy")
    assert healthz(machine)[1] == "ok healthy\n"
    report = status(machine)
    assert (report["verdict"]["code"], report["confirmed_status"]) == ("healthy", "ok")
    assert report["trigger"] == "timer"
    assert machine.http(PORT, "/").status == 200
    assert "agentcheck_healthy 1" in machine.http(PORT, "/metrics").body
    assert parse(machine.run(["agentcheck", "status", "--format", "json"]))["age_s"] < 10


def test_as_its_own_user_it_sees_what_root_sees(machine: Machine) -> None:
    """The agent's environment, log and channel; and the disk as it is, not its own sandbox."""
    root = parse(machine.run(["agentcheck", "run", "--format", "json"], timeout=30))
    own = status(machine)
    states = [{c["id"]: (c["status"], c["reason"]) for c in r["checks"]} for r in (root, own)]
    assert states[0] == states[1]
    assert own["agent"] == root["agent"]
    assert own["agent"]["connected"] is True
    uid = machine.read(f"/proc/{machine.pid_of(UNIT).inside}/status")
    assert not re.search(r"^Uid:\s+0\b", uid, re.M)


def test_a_closed_port_is_told_everywhere_and_so_is_its_opening(machine: Machine) -> None:
    machine.update(rules=BLOCKED)
    eventually(lambda: healthz(machine)[0] == 503)
    assert healthz(machine)[1] == "fail endpoint-blocked\n"
    (entry,) = [e for e in entries(machine, "verdict") if e["AGENTCHECK_STATUS"] == "fail"]
    assert entry["PRIORITY"] == "3"
    assert entry["AGENTCHECK_PREVIOUS_STATUS"] == "ok"
    assert entry["AGENTCHECK_VERDICT"] == "endpoint-blocked"
    assert entry["AGENTCHECK_SERVICE"] == "ssm ssmmessages"
    assert entry["AGENTCHECK_REASON"] == "either-side"
    assert (
        entry["AGENTCHECK_RUN_ID"] == json.loads(machine.http(PORT, "/history").body)[0]["run_id"]
    )
    checks = {e["AGENTCHECK_CHECK"] for e in entries(machine, "check")}
    assert {"tcp.ssm", "tcp.ssmmessages"} <= checks
    explained = machine.check("journalctl", "-x", "--no-pager", f"MESSAGE_ID={entry['MESSAGE_ID']}")
    assert "Remedy: Allow TCP 443 in from" in " ".join(explained.split())
    eventually(lambda: "SUMMARY status=fail verdict=endpoint-blocked" in machine.console)
    machine.update(rules=())
    eventually(lambda: healthz(machine)[0] == 200)
    assert entries(machine, "verdict")[-1]["MESSAGE"].startswith("recovered: ok healthy")
    assert entries(machine, "verdict")[-1]["PRIORITY"] == "6"
    history = machine.check("agentcheck", "history").splitlines()
    assert history[0].startswith("ok healthy since")
    assert history[1].startswith("fail endpoint-blocked (ssm, ssmmessages) from")


def test_wrong_settings_are_not_taken_over_and_do_not_end_it(machine: Machine) -> None:
    machine.put("/etc/agentcheck/agentcheck.conf", "[daemon]\ninterval = soon\n")
    machine.systemctl("reload", UNIT)
    eventually(lambda: bool(entries(machine, "reload")))
    assert "keeping the former settings" in entries(machine, "reload")[0]["MESSAGE"]
    before = status(machine)["run_id"]
    eventually(lambda: status(machine)["run_id"] != before)
    assert status(machine)["verdict"]["code"] == "healthy"
    machine.put("/etc/agentcheck/agentcheck.conf", CONFIG + "allowed_hosts = example\n")
    machine.systemctl("reload", UNIT)
    eventually(lambda: healthz(machine)[0] == 421)


def test_with_wrong_settings_at_the_start_it_ends_with_78_and_is_not_started_again() -> None:
    files = {"/etc/agentcheck/agentcheck.conf": "[daemon]\ninterval = soon\n"}
    with Vpc("healthy") as vpc, Machine(vpc, files) as machine:
        machine.run(["systemctl", "start", UNIT])
        shown = machine.show(UNIT, "ActiveState", "ExecMainStatus", "NRestarts")
        assert (shown["ActiveState"], shown["ExecMainStatus"], shown["NRestarts"]) == (
            "failed",
            "78",
            "0",
        )
        said = " ".join(entry["MESSAGE"] for entry in machine.journal(f"_SYSTEMD_UNIT={UNIT}"))
        assert "agentcheck.conf:2: [daemon] interval = soon" in said


def test_imds_that_is_open_to_root_only_is_unknown_and_names_our_user() -> None:
    rule = (
        "table inet own {\n chain output {\n type filter hook output priority 0;\n"
        " ip daddr 169.254.169.254 meta skuid != 0 drop\n }\n}"
    )
    with (
        Vpc("healthy") as vpc,
        Machine(vpc, {"/etc/agentcheck/agentcheck.conf": CONFIG}) as machine,
    ):
        vpc.instance_nft(rule)
        machine.systemctl("start", UNIT)
        uid = machine.check("id", "-u", "agentcheck").strip()
        verdict = status(machine)["verdict"]
        assert (verdict["code"], verdict["status"]) == ("imds-unreachable", "unknown")
        assert f"uid {uid}" in verdict["summary"]
        root = parse(machine.run(["agentcheck", "run", "--format", "json"], timeout=30))
        assert root["verdict"]["code"] == "healthy"


def test_it_ends_within_two_seconds_even_amid_a_black_hole(machine: Machine) -> None:
    machine.update(rules=BLOCKED)
    machine.systemctl("kill", "-s", "USR1", UNIT)  # a round now
    time.sleep(1)
    begun = time.monotonic()
    machine.systemctl("stop", UNIT)
    assert time.monotonic() - begun < 2
    assert machine.show(UNIT, "Result")["Result"] == "success"
    assert machine.run(["sh", "-c", "pgrep -f '[a]gentcheck run'"]).stdout == ""


def test_the_unit_is_as_closed_as_promised_and_systemd_has_nothing_to_say(machine: Machine) -> None:
    verified = machine.run(["systemd-analyze", "verify", f"/usr/lib/systemd/system/{UNIT}"])
    complaints = [line for line in verified.stderr.splitlines() if "man agentcheck" not in line]
    assert (complaints, verified.stdout) == ([], "")
    rated = machine.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=18", "--no-pager", UNIT]
    )
    assert rated.returncode == 0, rated.stdout[-400:]
