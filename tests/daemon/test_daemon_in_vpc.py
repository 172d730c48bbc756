"""The daemon in the simulated VPC: signals, and files that are whole after any kind of end."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Optional

import pytest

from tests.reports import SCHEMA
from tests.vpc import Vpc

pytestmark = pytest.mark.vpc

CONFIG = "[daemon]\ninterval = 1s\njitter = 0%\nboot_grace = 1s\nconsole_on_change = no\n"
REPORT, HISTORY = "/run/agentcheck/report.json", "/var/lib/agentcheck/history.json"
PROCESS = "[a]gentcheck.daemon"


@pytest.fixture
def vpc() -> Iterator[Vpc]:
    with Vpc("healthy") as made:
        made.put("/etc/agentcheck/agentcheck.conf", CONFIG)
        made.run(["mkdir", "-p", "/run/agentcheck", "/var/lib/agentcheck"])
        yield made


def start(vpc: Vpc) -> subprocess.Popen[Any]:
    command = [sys.executable, "-m", "agentcheck", "daemon"]
    return vpc.spawn(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill(vpc: Vpc, signal: str) -> None:
    vpc.run(["pkill", f"-{signal}", "-f", PROCESS])


def read(vpc: Vpc, path: str) -> Optional[Any]:
    """The JSON in a file, None where there is no file. Anything but whole JSON is an error."""
    found = vpc.run(["cat", path])
    return json.loads(found.stdout) if found.returncode == 0 else None


def eventually(happens: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_kill_at_fifty_seeded_moments_leaves_whole_files(vpc: Vpc) -> None:
    dice = random.Random(50)
    begun = time.monotonic()
    for number in range(51):
        daemon = start(vpc)
        if number == 0:  # how long its first round takes on this machine, as busy as it is
            eventually(lambda: read(vpc, REPORT) is not None)
            first = time.monotonic() - begun
        else:
            time.sleep(dice.uniform(0.1, 1.5 * first))
        while daemon.poll() is None:  # on a busy machine it may not even have begun to run
            kill(vpc, "KILL")
        daemon.communicate(timeout=10)
        report, history = read(vpc, REPORT), read(vpc, HISTORY)
        assert report is None or report["schema"] == "agentcheck.report/1"
        assert history is None or [e["verdict"] for e in history]
    assert report is not None
    left = vpc.run(["sh", "-c", "ls -A /run/agentcheck /var/lib/agentcheck"]).stdout
    assert left.count(".report.json.") <= 1  # that of the last one; each start sweeps


def test_a_signal_starts_a_round_and_another_ends_it(vpc: Vpc) -> None:
    vpc.put("/etc/agentcheck/agentcheck.conf", CONFIG.replace("1s\njitter", "1h\njitter"))
    daemon = start(vpc)
    eventually(lambda: read(vpc, REPORT) is not None)
    first = read(vpc, REPORT)
    kill(vpc, "USR1")
    eventually(lambda: (read(vpc, REPORT) or {})["run_id"] != (first or {})["run_id"])
    assert (read(vpc, REPORT) or {})["trigger"] == "signal"
    kill(vpc, "TERM")
    said, _ = daemon.communicate(timeout=5)
    assert daemon.returncode == 0
    assert "Traceback" not in said


def test_its_report_is_that_of_the_schema(vpc: Vpc) -> None:
    import jsonschema

    daemon = start(vpc)
    eventually(lambda: (read(vpc, REPORT) or {}).get("confirmed_status") == "ok")
    report = read(vpc, REPORT)
    kill(vpc, "TERM")
    daemon.communicate(timeout=5)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    entries = read(vpc, HISTORY)
    assert [(e["status"], e["previous"], e["verdict"]) for e in entries or ()] == [
        ("ok", None, "healthy")
    ]


def test_no_secret_is_in_its_files_or_its_childs_arguments(vpc: Vpc) -> None:
    from tests.vpc import CANARIES

    vpc.put(
        "/etc/agentcheck/agentcheck.conf", CONFIG + "[state]\ntextfile = /run/agentcheck/x.prom\n"
    )
    daemon = start(vpc)
    seen: list[str] = []

    def look() -> bool:
        script = "cat /proc/[0-9]*/cmdline /run/agentcheck/* /run/agentcheck/.[a-z]* 2>/dev/null"
        seen.append(vpc.run(["sh", "-c", script]).stdout)
        return len(seen) >= 40 and "agentcheck_healthy 1" in seen[-1]

    eventually(look, 60)
    kill(vpc, "TERM")
    said, _ = daemon.communicate(timeout=5)
    given = {c for line in vpc.served for c in json.loads(line).get("canaries", [])}
    assert {"secret-key", "session-token", "imds-token"} <= given
    for name, secret in CANARIES.items():
        assert secret not in "".join([*seen, said]), name


def test_a_storm_of_signals_loses_no_end(vpc: Vpc) -> None:
    daemon = start(vpc)
    eventually(lambda: read(vpc, REPORT) is not None)
    storm = "for i in $(seq 400); do pkill -HUP -f '[a]gentcheck.daemon'; done"
    other = vpc.spawn(["sh", "-c", storm])
    time.sleep(0.5)
    kill(vpc, "TERM")
    daemon.communicate(timeout=5)
    other.wait(timeout=60)
    assert daemon.returncode == 0


def test_a_second_daemon_on_the_same_folders_is_refused_in_one_line(vpc: Vpc) -> None:
    first = start(vpc)
    eventually(lambda: read(vpc, REPORT) is not None)
    second = vpc.run([sys.executable, "-m", "agentcheck", "daemon"])
    assert second.returncode == 3
    assert "another agentcheck daemon runs" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    kill(vpc, "TERM")
    first.communicate(timeout=5)


def test_modules_in_the_working_directory_are_not_its(vpc: Vpc) -> None:
    vpc.put("/home/evil/selectors.py", "raise SystemExit('hijacked')\n")
    vpc.put("/opt/launcher.py", "from agentcheck.cli import main\nmain()\n")
    code = f"cd /home/evil && exec {sys.executable} /opt/launcher.py daemon"
    daemon = vpc.spawn(["sh", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    eventually(lambda: read(vpc, REPORT) is not None)
    kill(vpc, "TERM")
    said, _ = daemon.communicate(timeout=5)
    assert b"hijacked" not in said


def test_the_signed_call_is_not_made_again_and_again_when_it_cannot_be_remembered(
    vpc: Vpc,
) -> None:
    vpc.run(["mkdir", "-p", "/run/agentcheck/permission.json"])
    daemon = start(vpc)
    eventually(lambda: (read(vpc, REPORT) or {}).get("confirmed_status") == "ok")
    kill(vpc, "TERM")
    daemon.communicate(timeout=5)
    assert sum('"signed": true' in line for line in vpc.served) == 0


def test_links_in_its_folders_are_replaced_and_never_written_through(vpc: Vpc) -> None:
    """They may be of a user that the daemon ran as before."""
    vpc.put("/etc/victim", "precious", 0o600)
    names = (
        "/run/agentcheck/daemon.lock /run/agentcheck/report.json /var/lib/agentcheck/history.json"
    )
    vpc.run(["sh", "-ec", f"for name in {names}; do ln -s /etc/victim $name; done"])
    daemon = start(vpc)
    eventually(lambda: vpc.run(["test", "-L", REPORT]).returncode != 0)
    kill(vpc, "TERM")
    daemon.communicate(timeout=10)
    assert (read(vpc, REPORT) or {})["schema"] == "agentcheck.report/1"
    shown = vpc.run(["sh", "-c", "cat /etc/victim; stat -c ' %a' /etc/victim"]).stdout
    assert shown == "precious 600\n"
