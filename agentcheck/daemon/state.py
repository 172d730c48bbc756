"""The files of the daemon, report.json and history.json: read, bounded, and swept."""

from __future__ import annotations

import errno
import json
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
