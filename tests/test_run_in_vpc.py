"""`agentcheck run` as a whole: interruption, terminal, output file, deadline."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.reports import SCHEMA, parse, report_of
from tests.vpc import Vpc, default_command

pytestmark = pytest.mark.vpc


def _interrupted(vpc: Vpc, number: signal.Signals, *arguments: str) -> tuple[int, str, str]:
    """A black-holed round that gets the signal once it waits for the network."""
    code = (
        "import os, signal, subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[2:])\n"
        "ready = lambda: ':01BB 02' in open('/proc/net/tcp').read()  # a SYN sent to port 443\n"
        "end = time.monotonic() + 10\n"
        "while not ready() and time.monotonic() < end: time.sleep(0.05)\n"
        "assert ready()\n"
        "child.send_signal(int(sys.argv[1]))\n"
        "sys.exit(child.wait())\n"
    )
    command = default_command(vpc.scenario, *arguments)
    outcome = vpc.run([sys.executable, "-c", code, str(int(number)), *command], timeout=20)
    return outcome.returncode, outcome.stdout, outcome.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_one_line_and_no_traceback(number: signal.Signals) -> None:
    with Vpc("endpoint-blocked") as vpc:
        begun = time.monotonic()
        status, stdout, stderr = _interrupted(vpc, number)
        assert time.monotonic() - begun < 3
    assert (status, stdout, stderr) == (130, "", "agentcheck: interrupted\n")


def test_an_interrupted_round_still_owes_its_json() -> None:
    with Vpc("endpoint-blocked") as vpc:
        status, stdout, stderr = _interrupted(vpc, signal.SIGINT, "--format", "json")
    report = json.loads(stdout)
    assert status == 130
    assert report["schema"] == SCHEMA["properties"]["schema"]["const"]
    assert report["complete"] is False
    assert report["verdict"]["code"] == "could-not-tell"
    assert {c["reason"] for c in report["checks"] if c["status"] == "error"} == {"interrupted"}
    assert stderr == "agentcheck: interrupted\n"


def _on_a_terminal(vpc: Vpc, **env: str) -> str:
    """What the command prints when its stdout is a terminal."""
    master, slave = pty.openpty()
    process = vpc.spawn(env=env, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    printed = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        printed += part
    os.close(master)
    process.wait(10)
    return printed.decode()


def test_colour_only_on_a_terminal_and_never_with_no_color() -> None:
    with Vpc("agent-missing") as vpc:
        assert "\033[31mFAIL agent-missing\033[0m" in _on_a_terminal(vpc)
        assert "\033" not in _on_a_terminal(vpc, NO_COLOR="1")
        assert "\033" not in vpc.run().stdout


def test_fail_on_fail_lets_a_warning_pass() -> None:
    with Vpc("agent-outdated") as vpc:
        assert vpc.run(default_command(vpc.scenario)).returncode == 1
        assert vpc.run(default_command(vpc.scenario, "--fail-on", "fail")).returncode == 0


def test_the_output_file_is_whole_and_readable_by_all() -> None:
    code = (
        "import os, subprocess, sys\n"
        "os.mkdir('/run/out')\n"
        "status = subprocess.call(sys.argv[1:] + ['--output', '/run/out/report.json'])\n"
        "print(open('/run/out/report.json').read())\n"
        "assert oct(os.stat('/run/out/report.json').st_mode)[-3:] == '644'\n"
        "assert os.listdir('/run/out') == ['report.json'], os.listdir('/run/out')\n"
        "sys.exit(status)\n"
    )
    with Vpc("healthy") as vpc:
        command = default_command(vpc.scenario, "--format", "json")
        outcome = vpc.run([sys.executable, "-c", code, *command])
    assert outcome.returncode == 0, outcome.stderr
    assert parse(outcome)["verdict"]["code"] == "healthy"


def test_an_output_file_that_cannot_be_written_loses_no_report() -> None:
    with Vpc("healthy") as vpc:
        command = default_command(vpc.scenario, "--format", "json", "--output", "/proc/r.json")
        outcome = vpc.run(command)
    assert outcome.returncode == 3
    assert parse(outcome)["verdict"]["code"] == "healthy"
    assert outcome.stderr.startswith("agentcheck: /proc/r.json: ")
    assert len(outcome.stderr.splitlines()) == 1


def test_a_round_past_its_deadline_says_what_it_could_not_answer() -> None:
    with Vpc("endpoint-blocked") as vpc:
        command = default_command(vpc.scenario, "--format", "json")
        outcome = vpc.run(command, env={"AGENTCHECK_RUN_DEADLINE": "1s"})
    report = parse(outcome)
    assert outcome.returncode == 3
    assert report["verdict"]["code"] == "could-not-tell"
    assert report["duration_s"] < 2
    late = {c["id"] for c in report["checks"] if c["reason"] == "deadline"}
    assert {"tcp.ssm", "tcp.ssmmessages"} <= late


def test_an_aws_sdk_gets_credentials_from_the_metadata_service() -> None:
    """The fake is true enough for botocore's own fetcher, which asks for tokens as IMDSv2 does."""
    code = (
        "from botocore.utils import InstanceMetadataFetcher\n"
        "found = InstanceMetadataFetcher(timeout=2, num_attempts=1)"
        ".retrieve_iam_role_credentials()\n"
        "print(found['role_name'], bool(found['secret_key'] and found['token']))\n"
    )
    with Vpc("healthy") as vpc:
        assert vpc.run([sys.executable, "-c", code]).stdout == "app-role True\n"


def test_a_stopped_agent_beside_a_closed_metadata_service_is_one_cause() -> None:
    """Without IMDS the agent ends by itself: that it does not run is no cause of its own."""
    with Vpc("imds-disabled") as vpc:
        assert [cause["code"] for cause in report_of(vpc)["causes"]] == ["imds-disabled"]


def test_a_device_or_pipe_is_written_to_and_never_replaced() -> None:
    code = (
        "import os, stat, subprocess, sys\n"
        "os.mkfifo('/run/pipe'); reader = os.open('/run/pipe', os.O_RDONLY | os.O_NONBLOCK)\n"
        "open('/run/real', 'w').close(); os.symlink('/run/real', '/run/link')\n"
        "for place in ('/run/pipe', '/run/link', '/dev/null'):\n"
        "    assert subprocess.call(sys.argv[1:] + ['--output', place]) == 0, place\n"
        "assert stat.S_ISFIFO(os.stat('/run/pipe').st_mode)\n"
        "assert os.read(reader, 99999).startswith(b'OK healthy')\n"
        "assert os.path.islink('/run/link') and open('/run/real').read().startswith('OK healthy')\n"
        "assert stat.S_ISCHR(os.stat('/dev/null').st_mode)\n"
    )
    with Vpc("healthy") as vpc:
        outcome = vpc.run([sys.executable, "-c", code, *default_command(vpc.scenario)])
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_a_reader_that_goes_away_does_not_change_the_status() -> None:
    with Vpc("agent-missing") as vpc:
        command = " ".join(default_command(vpc.scenario))
        outcome = vpc.run(["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"])
    assert (outcome.returncode, outcome.stderr) == (2, "")


@pytest.mark.parametrize(
    ("name", "first"),
    [("nagios", "AGENTCHECK CRITICAL - role-missing"), ("prometheus", "# HELP"), ("html", "<!DOC")],
)
def test_every_format_has_the_same_exit_status(name: str, first: str) -> None:
    with Vpc("role-missing") as vpc:
        outcome = vpc.run(default_command(vpc.scenario, "--format", name))
    assert outcome.returncode == 2
    assert outcome.stdout.lower().startswith(first.lower())
    assert "role-missing" in outcome.stdout
    assert outcome.stderr == ""
