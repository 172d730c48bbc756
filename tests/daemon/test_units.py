"""The unit and the message catalogue: as strict as promised, and of the same mind as the code."""

from __future__ import annotations

import re
from pathlib import Path

from agentcheck.daemon.journal import MESSAGE_IDS

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
UNIT = SYSTEMD / "agentcheck.service"


def test_the_catalogue_explains_every_event() -> None:
    text = (SYSTEMD / "agentcheck.catalog").read_text()
    assert sorted(re.findall(r"^-- ([0-9a-f]{32})$", text, re.M)) == sorted(MESSAGE_IDS.values())
    assert len(set(MESSAGE_IDS.values())) == len(MESSAGE_IDS)


def test_every_open_door_of_the_unit_is_explained() -> None:
    lines = UNIT.read_text().splitlines()
    for opening in (
        "AmbientCapabilities",
        "ProtectProc",
        "PrivateTmp",
        "RestrictAddressFamilies",
        "StandardOutput",
        "RestartPreventExitStatus",
        "UMask",
    ):
        index = next(i for i, line in enumerate(lines) if line.startswith(f"{opening}="))
        assert lines[index - 1].startswith("#"), opening
