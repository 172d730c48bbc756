"""The last answer to the signed call, so that a daemon need not ask again at every round.

A small file in the run directory, written by the rounds of the daemon alone. It holds what the
report says anyway, and no secret.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Optional

from agentcheck import whole_file
from agentcheck.files import parse_json, read_whole
from agentcheck.observations import Permission

NAME = "permission.json"
MAX_FILE = 65536
# Every call is an event in CloudTrail, and denials may page somebody.
GOOD_FOR_S = 24 * 3600.0
TROUBLE_GOOD_FOR_S = 1800.0
# An agent that is refused again and again logs it each time.
AT_MOST_EVERY_S = 600.0


@dataclass(frozen=True)
class Remembered:
    """An answer, whose role it was about, and when it was asked (epoch seconds)."""

    asked: float
    role: str
    permission: Permission

    def holds(self, role: str, now: float, refused_at: Optional[float]) -> bool:
        """Whether it need not be asked again: not for a new role, nor after newer trouble.

        `refused_at` is the newest refusal in the agent's own log.
        """
        if self.role != role or not now - self.asked >= 0:
            return False
        age = now - self.asked
        if refused_at is not None and refused_at > self.asked and age >= AT_MOST_EVERY_S:
            return False
        return age < (GOOD_FOR_S if self.permission.state == "ok" else TROUBLE_GOOD_FOR_S)


def read(folder: Path) -> Optional[Remembered]:
    """What is kept; None when there is nothing, or nothing that can be trusted."""
    try:
        document = parse_json(read_whole(folder / NAME, MAX_FILE))
        wanted = {field.name for field in fields(Permission)}
        found = {k: v for k, v in document["permission"].items() if k in wanted}
        offset = found.pop("clock_offset_s", None)
        if not all(isinstance(v, int if k == "status" else str) for k, v in found.items()):
            return None
        asked, role = document["asked"], document["role"]
        if not isinstance(asked, (int, float)) or not isinstance(role, str):
            return None
        permission = Permission(**found, clock_offset_s=offset if offset is None else float(offset))
        return Remembered(float(asked), role, permission)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write(folder: Path, remembered: Remembered) -> bool:
    """Keeps it, at one stroke; False when the disk takes nothing."""
    document = {
        "asked": remembered.asked,
        "role": remembered.role,
        "permission": asdict(remembered.permission),
    }
    try:
        whole_file.write(folder / NAME, json.dumps(document), 0o600)
    except OSError:
        return False
    return True
