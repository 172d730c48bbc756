"""The agent's systemd unit, as `systemctl show` tells it."""

from __future__ import annotations

import re
from typing import Optional

from agentcheck.model import printable
from agentcheck.observations import Unit
from agentcheck.probes import command
from agentcheck.probes.machine import SYSTEMD

SYSTEMCTL = ("/usr/bin/systemctl", "/bin/systemctl")
UNIT = "amazon-ssm-agent.service"
SNAP_UNIT = "snap.amazon-ssm-agent.amazon-ssm-agent.service"
PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "Result",
    "Restart",
    "NRestarts",
    "ExecMainStatus",
    "ExecMainExitTimestamp",
)


def probe(snap: bool) -> Optional[Unit]:
    """The unit's state; None outside a booted systemd, which is no fault."""
    if not SYSTEMD.is_dir():
        return None
    name = SNAP_UNIT if snap else UNIT
    arguments = ["show", "--no-pager", f"--property={','.join(PROPERTIES)}", name]
    status, output = command.run(SYSTEMCTL, arguments)
    if status != 0:
        return None
    return parse(name, output)


def parse(name: str, output: str) -> Optional[Unit]:
    """Reads `KEY=VALUE` lines; None when they are not those of a unit."""
    pairs = (line.partition("=") for line in output.split("\n"))
    values = {key: printable(value) for key, equals, value in pairs if equals}
    if "LoadState" not in values:
        return None
    restarts = values.get("NRestarts", "")
    return Unit(
        name,
        values["LoadState"],
        values.get("ActiveState", ""),
        values.get("SubState", ""),
        values.get("UnitFileState", ""),
        values.get("Result", ""),
        values.get("Restart", ""),
        int(restarts) if re.fullmatch("[0-9]{1,9}", restarts) else 0,
        values.get("ExecMainStatus", ""),
        values.get("ExecMainExitTimestamp", ""),
    )
