"""Rounds on instances with very many processes and sockets, some of them not to be seen."""

from __future__ import annotations

import sys

import pytest

from tests.hostile.measure import attack
from tests.hostile.rubbish import TIMES
from tests.hostile.world import Case, complaints_about, program, shell, wrong
from tests.vpc import Scenario, Vpc
from tests.vpc.scenario import Agent

pytestmark = pytest.mark.vpc

ALONE = "</dev/null >/dev/null 2>&1 &"
# 100,000 with HOSTILE_EXAMPLES=10.
SOCKETS = 10_000 * TIMES
# Connections that were closed a moment ago, which the table holds for a minute.
_CLOSED = """
import socket, sys
open("/proc/sys/net/ipv4/tcp_tw_reuse", "w").write("0")
server = socket.create_server(("0.0.0.0", 0))
for number in range(int(sys.argv[1])):
    client = socket.create_connection((f"127.0.0.{2 + number // 10_000}", server.getsockname()[1]))
    client_side, _ = server.accept()
    client.close()
    client_side.close()
"""
_SLEEPERS = """
import os, time
for _ in range(3000):
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 3)
        time.sleep(600)
        os._exit(0)
"""


def service(*capabilities: str) -> tuple[str, ...]:
    """What starts a program as the unit does: not root, some capabilities ambient."""
    listed = ",".join(f"+{name}" for name in capabilities)
    caps = (f"--inh-caps={listed}", f"--ambient-caps={listed}")
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *caps, "--")


def test_processes_may_be_thousands_and_come_and_go() -> None:
    spawn = "while [ -d /run ]; do /bin/true; (exec -a ssm-agent-worker /bin/true); done"
    churn = f"for i in 1 2 3; do bash -c '{spawn}' {ALONE} done"
    thousands = f'{sys.executable} -c "{_SLEEPERS}"'
    assert wrong({"processes": Case(f"{thousands}\n{churn}")}) == {}


def test_the_channel_is_found_among_very_many_sockets() -> None:
    with Vpc("healthy") as vpc:
        made = vpc.run([sys.executable, "-c", _CLOSED, str(SOCKETS)])
        assert made.returncode == 0, made.stderr
        assert int(shell(vpc, "wc -l </proc/net/tcp")) > SOCKETS
        outcome = attack(vpc)
    assert complaints_about(outcome, ("healthy",)) == []
    assert outcome.report["agent"]["connected"] is True


def test_what_may_not_be_seen_of_processes_is_not_known() -> None:
    hidden = "mount -o remount,hidepid=2 /proc"
    unseen = ("could-not-tell", "agent-not-running", "agent-not-connected")
    cases = {
        "no ptrace": Case("true", ("healthy", *unseen), prefix=service("dac_read_search")),
        "hidden": Case(hidden, ("could-not-tell",), prefix=service("dac_read_search")),
    }
    assert wrong(cases) == {}


def test_programs_that_the_service_runs_have_none_of_its_rights() -> None:
    """It tells its version to whom has none."""
    none = "grep -q '^CapEff:.0*$' /proc/self/status"
    body = f"{none} && exec echo SSM Agent version: 3.3.1611.0"
    case = Case(
        program("/usr/bin/amazon-ssm-agent", body),
        scenario=Scenario(agent=Agent(package_version=None)),
        prefix=service("dac_read_search", "sys_ptrace"),
    )
    assert wrong({"rights": case}) == {}
