"""The files of the daemon, report.json and history.json: read, bounded, and swept."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from agentcheck.model import HistoryEntry

REPORT = "report.json"
HISTORY = "history.json"
MAX_FILE = 64 << 20


def sweep(folder: Path) -> None:
    """Removes what a killed writer left beside the files."""
    try:
        for name in (REPORT, HISTORY, "permission.json"):
            for path in folder.glob(f".{name}.*"):
                path.unlink(missing_ok=True)
    except OSError:
        return


def read_report(folder: Path) -> Optional[Mapping[str, Any]]:
    """The last report's object; None when there is none that parses."""
    found = _read(folder / REPORT)
    return found if isinstance(found, dict) else None


def read_history(folder: Path) -> Sequence[HistoryEntry]:
    """The entries, oldest first; those that are not the shape of one are left out."""
    found = _read(folder / HISTORY)
    entries = []
    for item in found if isinstance(found, list) else ():
        entry = _entry(item)
        if entry is not None:
            entries.append(entry)
    return entries


def _entry(item: Any) -> Optional[HistoryEntry]:
    """One entry; keys that a newer version added are left out, None when it is none."""
    if not isinstance(item, dict):
        return None
    texts = [item.get(key) for key in ("time", "status", "verdict", "run_id")]
    services, previous = item.get("services"), item.get("previous")
    known = all(isinstance(text, str) and text.isprintable() for text in texts)
    if not known or not isinstance(services, list) or not isinstance(previous, (str, type(None))):
        return None
    if not all(isinstance(service, str) and service.isprintable() for service in services):
        return None
    time, status, verdict, run_id = map(str, texts)
    return HistoryEntry(time, status, previous, verdict, services, run_id)


def history_text(entries: Sequence[HistoryEntry]) -> str:
    """history.json: one entry a line, so that people can read it too."""
    lines = [json.dumps(asdict(entry)) for entry in entries]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _read(path: Path) -> Any:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return json.loads(file.read(MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return None
