"""amazon-ssm-agent's log, read from its end.

Paths and sizes: seelog_unix.xml and agent/hibernation/hibernatelogger_unix.go of the agent.
"""

from __future__ import annotations

import io
import os
import struct
import zoneinfo
from collections.abc import Sequence
from dataclasses import replace
from datetime import timezone, tzinfo
from pathlib import Path
from typing import Optional

from agentcheck.files import open_regular, read_bounded
from agentcheck.observations.agent_log import ABSENT, FOREIGN, UNREADABLE, AgentLog
from agentcheck.probes.agent_log_lines import parse
from agentcheck.probes.agent_log_story import Story

# The snap has classic confinement and writes to the same folder.
FOLDER = Path("/var/log/amazon/ssm")
NAME = "amazon-ssm-agent.log"
HIBERNATE = "hibernate.log"
LOCALTIME = Path("/etc/localtime")
# Weeks of a quiet agent, and what a round can read in no time.
TAIL = 512 << 10
# Rolled at 30 kB.
HIBERNATE_TAIL = 64 << 10
MAX_ZONE = 1 << 20
# A folder with more entries than this is not the agent's.
MAX_ENTRIES = 1000


def probe(now: float, zone_name: str = "", folder: Path = FOLDER) -> AgentLog:
    """Reads the log. Never raises: what cannot be read is the state `unreadable`.

    `zone_name` is TZ in the environment of the agent's process, "" where it is not set; our own
    TZ is another matter. Where it is set to nothing, pass "UTC": Go takes it for that.
    """
    path = folder / NAME
    rolled = _rolled(folder)
    data, cut = b"", False
    error: Optional[OSError] = None
    try:
        data, cut = _tail(path, TAIL)
    except OSError as caught:
        error = caught
    if not cut and rolled and (error is None or isinstance(error, FileNotFoundError)):
        # Between the rename and the first line that follows there is no file without number.
        data, cut = _with_rolled(data, rolled)
        error = error if not data else None
    if isinstance(error, FileNotFoundError):
        return AgentLog(ABSENT, str(path))
    if error is not None:
        return AgentLog(UNREADABLE, str(path), error.strerror or str(error))
    try:
        hibernate, _ = _tail(folder / HIBERNATE, HIBERNATE_TAIL)
    except OSError:
        hibernate = b""  # it is there only where the agent once hibernated
    log = read_lines(data, zone_of(zone_name), now, hibernate)
    return replace(log, path=str(path), truncated=cut)


def read_lines(data: bytes, zone: tzinfo, now: float, hibernate: bytes = b"") -> AgentLog:
    """What amazon-ssm-agent.log and hibernate.log say, whatever bytes they are. Pure.

    `zone` is the one that the agent writes its times in, `now` seconds of the epoch.
    """
    lines = parse(data, zone, now)
    if not lines:
        return AgentLog(FOREIGN)
    story = Story()
    for line in lines:
        story.tell(line)
    story.tell_hibernation(parse(hibernate, zone, now))
    return story.end(now)


def zone_of(name: str = "", localtime: Path = LOCALTIME) -> tzinfo:
    """The zone that Go's time.Local is for TZ=`name` (time/zoneinfo_unix.go, initLocal).

    Where there is no such zone, Go takes UTC and so do we.
    """
    name = name[1:] if name.startswith(":") else name
    try:
        if name and not name.startswith("/"):
            return zoneinfo.ZoneInfo(name)
        return zoneinfo.ZoneInfo.from_file(
            io.BytesIO(read_bounded(Path(name) if name else localtime, MAX_ZONE))
        )
    except (OSError, ValueError, LookupError, EOFError, struct.error):
        return timezone.utc


def _tail(path: Path, limit: int) -> tuple[bytes, bool]:
    """The last whole lines of a regular file, up to `limit` bytes, and whether there is more.

    Raises OSError.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= limit:
            return file.read(limit) or b"", False
        # One byte more: where that one ends a line, the first line is whole.
        file.seek(size - limit - 1)
        return (file.read(limit + 1) or b"").partition(b"\n")[2], True


def _rolled(folder: Path) -> Sequence[Path]:
    """The rolled logs, newest first.

    seelog counts up (the highest number is the newest, writers_rollingfilewriter.go), logrotate
    renames the other way around: the time of the last line written is right for both.
    """
    found: list[tuple[int, Path]] = []
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(MAX_ENTRIES)):
                if entry.name.startswith(f"{NAME}.") and entry.name[len(NAME) + 1 :].isdigit():
                    found.append((entry.stat().st_mtime_ns, Path(entry.path)))
    except OSError:
        pass
    return [path for _, path in sorted(found, reverse=True)]


def _with_rolled(data: bytes, rolled: Sequence[Path]) -> tuple[bytes, bool]:
    """The lines before `data`, up to `TAIL` in all; only one file back, each may hold 30 MB."""
    try:
        before, cut = _tail(rolled[0], max(TAIL - len(data), 0))
    except OSError:
        return data, True
    separator = b"" if before.endswith(b"\n") else b"\n"
    return before + separator + data, cut or len(rolled) > 1
