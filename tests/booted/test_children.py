"""Programs that the service runs: without its rights, and not beyond the round."""

from __future__ import annotations

import json

import pytest

from tests.booted import Machine
from tests.vpc import Vpc
from tests.vpc.scenario import Agent, Scenario

pytestmark = pytest.mark.booted

UNIT = "agentcheck.service"
VERSION = "3.3.1611.0"
# Tells its version only to whom has no rights at all, and leaves a session of its own behind.
PROGRAM = f"""\
#!/bin/sh
setsid -f sleep 987654 </dev/null >/dev/null 2>&1
grep -Eq '^Cap(Prm|Eff|Amb):.*[^0:[:space:]]' /proc/self/status || echo SSM Agent version: {VERSION}
"""


def test_a_program_of_a_round_has_no_rights_and_leaves_nobody_behind() -> None:
    scenario = Scenario(agent=Agent(package_version=None))
    files = {"/etc/agentcheck/agentcheck.conf": "[daemon]\njitter = 0%\n"}
    with Vpc(scenario) as vpc, Machine(vpc, files) as machine:
        machine.put("/usr/bin/amazon-ssm-agent", PROGRAM, 0o755)
        machine.systemctl("start", UNIT)  # returns once a round has been made
        caps = machine.read(f"/proc/{machine.pid_of(UNIT).inside}/status")
        assert "CapAmb:\t0000000000080004" in caps, "the service itself has its rights"
        report = json.loads(machine.run(["agentcheck", "status", "--format", "json"]).stdout)
        assert report["agent"]["version"] == VERSION
        left = machine.run(["pgrep", "-f", "sleep 98765[4]"])
        assert left.stdout == ""
