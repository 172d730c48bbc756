"""This host: what DMI says it is, and which rights this process has."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional

from agentcheck.files import read_bounded
from agentcheck.model import printable
from agentcheck.observations import Machine

DMI = Path("/sys/class/dmi/id")
# On Nitro the asset tag of the board is the instance's id.
_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,32}")
XEN_UUID = Path("/sys/hypervisor/uuid")
# sd_booted(3): this directory exists exactly when systemd is the running init.
SYSTEMD = Path("/run/systemd/system")
# A page is what sysfs gives at most.
MAX_FILE = 4096


def probe() -> Machine:
    """Reads DMI. Nitro says "Amazon EC2" as vendor, Xen has a uuid that begins with ec2.

    Source: EC2 user guide, "Identify EC2 instances".
    """
    vendor, bios, uuid = _read("sys_vendor"), _read("bios_version"), _read_file(XEN_UUID)
    known = [text for text in (vendor, bios, uuid) if text is not None]
    is_ec2: Optional[bool] = None
    if known:
        is_ec2 = (
            (vendor or "").startswith("Amazon EC2")
            or "amazon" in (bios or "").lower()
            or (uuid or "").lower().startswith("ec2")
        )
    tag = _read("board_asset_tag") or ""
    return Machine(
        is_ec2,
        (vendor or "")[:80],
        os.geteuid(),
        SYSTEMD.is_dir(),
        tag if is_ec2 and _INSTANCE_ID.fullmatch(tag) else "",
    )


def _read(name: str) -> Optional[str]:
    return _read_file(DMI / name)


def _read_file(path: Path) -> Optional[str]:
    try:
        return printable(read_bounded(path, MAX_FILE).decode("utf-8", "replace").strip())
    except OSError:
        return None
