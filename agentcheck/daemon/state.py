"""The files of the daemon, report.json and history.json: read, bounded, and swept."""

from __future__ import annotations

import errno
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from agentcheck.files import parse_json, read_in_pieces, read_whole
from agentcheck.model import HistoryEntry

REPORT = "report.json"
HISTORY = "history.json"
# More than a round may print (child.MAX_OUTPUT). A document takes up to 24 times its size.
MAX_FILE = (1 << 20) + 65536
# A hundred thousand entries of a usual size, and one that is none of them.
MAX_HISTORY = 64 << 20
MAX_ENTRY = 4096
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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
    try:
        found = _parsed(read_whole(folder / REPORT, MAX_FILE))
    except OSError:
        return None
    return found if isinstance(found, dict) else None


def written() -> Mapping[str, Any]:
    """When a report is written, by a clock that nobody sets; nothing where no boot can be told."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return {}
    return {"boot_id": boot, "uptime_s": round(time.clock_gettime(time.CLOCK_BOOTTIME), 1)}


def age(folder: Path, document: Mapping[str, Any]) -> float:
    """Seconds since the report of `read_report` was written.

    The date of the file tells it only after a reboot: a wall clock that is set would make a report
    stale that is new, or keep one fresh for as long as it was set back.
    """
    now, uptime = written(), document.get("uptime_s")
    if now and document.get("boot_id") == now["boot_id"] and isinstance(uptime, (int, float)):
        return max(0.0, float(now["uptime_s"] - uptime))
    try:
        return max(0.0, time.time() - (folder / REPORT).stat().st_mtime)
    except OSError:
        return 0.0


def identity(path: Path) -> Optional[tuple[int, ...]]:
    """What differs once somebody else writes, replaces or removes the file; None without one."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def read_history(folder: Path, most: int) -> Sequence[HistoryEntry]:
    """The newest entries, oldest first; those that are not the shape of one are left out."""
    entries: deque[HistoryEntry] = deque(maxlen=most)
    try:
        for item in _items(folder / HISTORY):
            entry = _entry(item)
            if entry is not None:
                entries.append(entry)
    except OSError:
        pass
    return list(entries)


def _items(path: Path) -> Iterator[Any]:
    """What the array holds; of a large one line by line, as `history_text` writes it."""
    try:
        found = _parsed(read_whole(path, MAX_FILE))
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
    else:
        yield from found if isinstance(found, list) else ()
        return
    for piece in read_in_pieces(path, MAX_HISTORY):
        for line in piece.split(b"\n"):
            if len(line) <= MAX_ENTRY:
                yield _parsed(line.rstrip(b",\r"))


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


def _parsed(raw: bytes) -> Any:
    try:
        return parse_json(raw)
    except (ValueError, RecursionError):
        return None
