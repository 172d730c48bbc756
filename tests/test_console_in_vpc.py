"""`run --console` and `--wait` in the simulated VPC, and what tells AWS of the boot run."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pty
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agentcheck import console
from agentcheck.render.console import MAX_BYTES, PREFIX
from agentcheck.verbs.read_console import cleaned, find
from tests.diagnosis.test_remedies import test_a_command_is_one_that_the_aws_cli_knows as known
from tests.reports import assert_no_secret, parse
from tests.test_read_console import Log
from tests.vpc import Outcome, Vpc, default_command, host
from tests.vpc.scenario import INSTANCE_ID, Agent, healthy

vpc_test = pytest.mark.vpc
EXAMPLES = host.ROOT / "packaging/boot"
# Linux fcntl(2); the name is in fcntl from Python 3.10 on.
F_SETPIPE_SZ = 1031
# One of each way to end: where it says little and much, knows the instance and does not.
SCENARIOS = (
    "healthy",
    "not-ec2",
    "agent-missing",
    "agent-updating",
    "disk-full",
    "endpoint-blocked",
    "endpoint-missing",
    "imds-disabled",
    "role-missing",
    "role-lacks-permission",
    "three-faults-agent-role-and-port",
    "tls-intercepted",
)


def shown(vpc: Vpc, device: str = "/dev/console") -> str:
    """What was written to it: a file there, with the line ends of a serial line."""
    done = vpc.run(["sh", "-c", f"od -An -v -tx1 {device} | tr -d ' \\n'"])
    return bytes.fromhex(done.stdout).decode("ascii")


def run_with_console(vpc: Vpc, *more: str) -> Outcome:
    return vpc.run(default_command(vpc.scenario, "--format", "json", "--console", *more))


@vpc_test
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_console_tells_what_the_report_does(name: str) -> None:
    """In at most 2 KiB of ASCII, which is found again in a kernel's log."""
    with Vpc(name) as vpc:
        outcome = run_with_console(vpc)
        text = shown(vpc)
        assert shown(vpc, "/dev/ttyS0") == ""  # it is /dev/console here: console=ttyS0 is last
    report = parse(outcome)
    assert outcome.stderr == ""
    assert len(text) <= MAX_BYTES
    assert text.endswith("\r\n")
    lines = text[:-2].split("\r\n")
    assert all(line.startswith(PREFIX) and line.isprintable() for line in lines)
    assert_no_secret(dataclasses.replace(outcome, stdout=text))
    told, remarks = find(cleaned(Log(7).boot().report("\n".join(lines), cuts=1).noise(9).raw()))
    assert told is not None
    assert remarks == []
    assert (told.status, told.verdict) == (report["status"], report["verdict"]["code"])
    assert told.instance == report["instance"]["instance_id"]
    assert told.time == report["started"][:19] + "Z"
    assert [PREFIX + line for line in told.lines] == lines


@vpc_test
def test_where_another_console_comes_last_the_serial_line_is_written_too() -> None:
    with Vpc("healthy") as vpc:
        line = "mount --bind /tmp/cmdline /proc/cmdline"
        vpc.put("/tmp/cmdline", "root=/dev/x console=ttyS0,115200n8 console=tty0\n")
        vpc.run(["sh", "-c", line])
        assert run_with_console(vpc).returncode == 0
        assert "SUMMARY status=ok verdict=healthy" in shown(vpc)
        assert shown(vpc, "/dev/ttyS0") == shown(vpc)


@vpc_test
def test_a_console_that_takes_nothing_is_one_line_and_no_failure() -> None:
    with Vpc("healthy") as vpc:
        vpc.run(["sh", "-c", "rm /dev/console; mkdir /dev/console"])
        outcome = run_with_console(vpc)
        text = vpc.run(default_command(vpc.scenario, "--console"), env={"JOURNAL_STREAM": "1:2"})
    assert (parse(outcome)["status"], outcome.returncode) == ("ok", 0)
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("agentcheck: --console: ")
    assert "root" in line
    # As a service too: stdout is the report's.
    assert PREFIX not in text.stdout
    assert text.stderr == outcome.stderr


@vpc_test
def test_nobody_reads_the_report_but_the_console_has_it() -> None:
    with Vpc("healthy") as vpc:
        command = " ".join(default_command(vpc.scenario, "--console"))
        outcome = vpc.run(["sh", "-c", f"{command} >/dev/full"])
        assert outcome.returncode == 3
        assert "SUMMARY status=ok" in shown(vpc)


def _eventually(happens: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _asked(vpc: Vpc, path: str) -> int:
    return sum(path in line for line in vpc.served)


def _first_boot(*more: str) -> tuple[Outcome, list[float]]:
    """The network comes late and the role later; also when they came, in seconds.

    Each in the third round that lacks it, or after the seconds that the environment says.
    """
    exact = os.environ.get("AGENTCHECK_TEST_FIRST_BOOT")  # 20,60: by hand, it takes a minute
    vpc = Vpc(
        healthy(
            default_route=False,
            imds_route=False,
            imds=dataclasses.replace(healthy().imds, profile=False),
            agent=Agent(connected=True),
        )
    )
    with vpc:
        begun, came = time.monotonic(), []
        command = default_command(vpc.scenario, "--wait", "5m", "--console", *more)
        process = vpc.spawn(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr))
        reader.start()
        delays = [float(word) for word in exact.split(",")] if exact else None
        if delays:
            time.sleep(delays[0])
        else:
            _eventually(lambda: bool(said))
        vpc.update(default_route=True, imds_route=True)
        came.append(time.monotonic() - begun)
        if delays:
            time.sleep(max(0.0, begun + delays[1] - time.monotonic()))
        else:
            _eventually(lambda: _asked(vpc, "security-credentials") >= 2)
        vpc.update(imds=healthy().imds)
        came.append(time.monotonic() - begun)
        stdout = process.stdout.read()
        reader.join(60)
        status = process.wait(60)
        outcome = Outcome(status, stdout, "".join(said), vpc.served)
        assert "SUMMARY status=ok verdict=healthy" in shown(vpc)
        assert shown(vpc).count("SUMMARY") == 1
        return outcome, came


@vpc_test
def test_a_first_boot_ends_healthy_with_one_quiet_line() -> None:
    outcome, _ = _first_boot("--trigger", "boot", "--format", "json")
    report = parse(outcome)
    assert (report["verdict"]["code"], report["trigger"], outcome.returncode) == (
        "healthy",
        "boot",
        0,
    )
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("agentcheck: waiting 5m at most, not yet ok: ")
    assert not re.search(r"\b(fail|error|unknown)", line, re.I)


@vpc_test
def test_by_hand_a_wait_says_a_line_for_each_change_and_not_for_each_round() -> None:
    outcome, _ = _first_boot()
    lines = [line.split("not yet ok: ")[1].split(":")[0] for line in outcome.stderr.splitlines()]
    assert lines[-1] == "role-missing"
    assert 2 <= len(lines) <= 3
    assert len(set(lines)) == len(lines)


@vpc_test
def test_an_interrupted_wait_leaves_the_console_alone() -> None:
    with Vpc("role-missing") as vpc:
        command = default_command(vpc.scenario, "--wait", "5m", "--console")
        script = f"{' '.join(command)} & child=$!; sleep 3; kill $child; wait $child; echo $?"
        outcome = vpc.run(["sh", "-c", script])
        assert outcome.stdout == "130\n"
        assert shown(vpc) == ""


# --- the writing itself -------------------------------------------------------------------------


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "console"
    monkeypatch.setattr(console, "CONSOLE", path)
    monkeypatch.setattr(console, "SERIAL", tmp_path / "ttyS0")
    monkeypatch.setattr(console, "COMMAND_LINE", tmp_path / "cmdline")
    return path


def test_a_terminal_that_ends_lines_itself_gets_no_second_cr(device: Path) -> None:
    ours, theirs = pty.openpty()
    device.symlink_to(os.ttyname(theirs))
    assert console.write("a\nb\n", {})
    assert os.read(ours, 100) == b"a\r\nb\r\n"


def test_a_busy_line_gets_all_of_it_in_time(device: Path) -> None:
    """Its buffer is full at first, and then takes it piece by piece."""
    os.mkfifo(device)
    reader = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(device, os.O_WRONLY | os.O_NONBLOCK)
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4096)
    got: list[bytes] = []

    def drain() -> None:
        time.sleep(0.2)
        while b"end" not in b"".join(got)[-10:]:
            try:
                got.append(os.read(reader, 1000))
            except BlockingIOError:
                time.sleep(0.01)

    thread = threading.Thread(target=drain)
    thread.start()
    text = "y" * 6000 + "end\n"
    assert console.write(text, {})
    thread.join()
    assert b"y" * 6000 + b"end" in b"".join(got)


def test_a_line_that_is_held_up_for_good_is_given_up(device: Path) -> None:
    os.mkfifo(device)
    reader = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(device, os.O_WRONLY | os.O_NONBLOCK)
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4096)
    begun = time.monotonic()
    assert not console.write("text\n", {})
    assert 1 < time.monotonic() - begun < 4
    os.close(reader)


# --- the examples for a lifecycle hook and for CloudFormation -----------------------------------

ENDINGS = {
    ("success", "exited", "0"): True,
    ("success", "exited", "1"): True,
    ("success", "exited", "2"): False,
    ("success", "exited", "3"): False,
    ("exit-code", "exited", "78"): False,
    ("exit-code", "exited", "203"): False,
    ("timeout", "killed", "TERM"): False,
    ("oom-kill", "killed", "KILL"): False,
    ("start-limit-hit", "", ""): False,
    ("success", "exited", "130"): None,  # stopped: no verdict
    ("success", "killed", "TERM"): None,
}
TELLERS = {
    "autoscaling.sh": ("aws", {"GROUP": "my group", "HOOK": "session-manager"}),
    "cloudformation.sh": ("cfn-signal", {"STACK": "my-stack", "RESOURCE": "MyGroup"}),
}


def _tell(vpc: Vpc, script: str, ending: tuple[str, str, str], **more: str) -> Outcome:
    """The script as ExecStopPost= starts it; the tool that it calls prints its arguments."""
    result, code, status = ending
    env = {**TELLERS[script][1], "SERVICE_RESULT": result, "EXIT_CODE": code, "EXIT_STATUS": status}
    env = {key: text for key, text in {**env, **more}.items() if text}
    return vpc.run(["sh", f"/opt/{script}"], env={"PATH": "/opt:/usr/bin:/bin:/usr/sbin", **env})


def _ready(vpc: Vpc) -> None:
    for script, (tool, _) in TELLERS.items():
        vpc.put(f"/opt/{script}", (EXAMPLES / script).read_bytes(), 0o755)
        vpc.put(f"/opt/{tool}", '#!/bin/sh\nprintf "%s\\n" "$@"\n', 0o755)


@vpc_test
@pytest.mark.parametrize("script", TELLERS)
def test_each_way_to_end_is_told_as_what_it_is(script: str) -> None:
    with Vpc("healthy") as vpc:
        _ready(vpc)
        for ending, good in ENDINGS.items():
            outcome = _tell(vpc, script, ending, http_proxy="http://192.0.2.1:1")
            assert (outcome.returncode, outcome.stderr) == (0, ""), ending
            given = outcome.stdout.splitlines()
            if good is None:
                assert given == []
                continue
            assert INSTANCE_ID in given
            assert given[given.index("--region") + 1] == "us-east-1"
            if script == "autoscaling.sh":
                result = given[given.index("--lifecycle-action-result") + 1]
                assert result == ("CONTINUE" if good else "ABANDON")
                assert given[given.index("--auto-scaling-group-name") + 1] == "my group"
                quoted = [word.replace(" ", "_") for word in given]
                known(" ".join(["aws", *quoted]))
            else:
                assert given[given.index("--success") + 1] == ("true" if good else "false")
                # The options of aws-cfn-bootstrap's cfn-signal (CloudFormation User Guide).
                assert given[::2] == ["--success", "--stack", "--resource", "--id", "--region"]


@vpc_test
@pytest.mark.parametrize("script", TELLERS)
def test_without_imds_nothing_is_told_and_it_says_so(script: str) -> None:
    with Vpc("imds-disabled") as vpc:
        _ready(vpc)
        outcome = _tell(vpc, script, ("success", "exited", "2"))
        assert outcome.returncode != 0
        assert outcome.stdout == ""
        assert "403" in outcome.stderr


@pytest.mark.parametrize("script", TELLERS)
def test_the_examples_are_clean_and_their_commands_in_comments_real(script: str) -> None:
    path = EXAMPLES / script
    assert os.access(path, os.X_OK)
    subprocess.run(["sh", "-n", str(path)], check=True)
    settings = path.with_suffix(".conf").read_text()
    assert f"ExecStopPost=+/usr/local/lib/agentcheck/{script}" in settings
    (told,) = re.findall(r"^Environment=(.*)$", settings, re.M)
    assert {word.split("=")[0] for word in told.split()} == set(TELLERS[script][1])
    text = re.sub(r"\\\n# *", "", settings)
    for command in re.findall(r"# .*?(aws [a-z]+ .*)$", text, re.M):
        known(command)
