"""The lines of amazon-ssm-agent's log: their format and their times. Pure, for any bytes.

Format: seelog_unix.xml of the agent, `%Date(2006-01-02 15:04:05.0000) %LEVEL %Msg` in local time
without a zone; errors.log has `[Func @ file.go.NN]` after the level, hibernate.log and agents
before 3.3 no fraction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Optional

# Of one line, and of a line with its continuations: no event of interest is longer.
MAX_LINE = 4096
MAX_ENTRY = 8192
# The agent's first release is of December 2015: an older time is a clock that was not set.
OLDEST = 1420070400.0
# Several processes write to the file and flush at their own pace.
DISORDER = 60

_PREFIX = re.compile(
    r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d{1,9})? "
    r"(TRACE|DEBUG|INFO|WARN|ERROR|CRITICAL) "
    r"(?:\[[\w.()*]{1,80} @ [^\]]{1,80}\] )?",
    re.ASCII,
)
# Where in the agent a line comes from; the role provider stands there without brackets.
_CONTEXT = re.compile(r"(?:\[[^\][]{1,120}\] |EC2RoleProvider |EC2Identity )*")


@dataclass(frozen=True)
class Line:
    """A line with its continuations ("caused by: ...", "\\tstatus code: ..."), newline between.

    `context` is "[ssm-agent-worker] [MessageService] " and the like, `message` what follows.
    """

    at: float
    level: str
    context: str
    message: str


def parse(data: bytes, zone: tzinfo, now: float) -> Sequence[Line]:
    """The agent's lines in any bytes, times in seconds of the epoch.

    The order of lines beats their times, which jump when the clock or the zone is set: no line
    is later than one that follows it, nor than `now`.
    """
    lines = list(_lines(data, zone))
    limit = now
    for index in range(len(lines) - 1, -1, -1):
        limit = min(limit, lines[index].at)
        if lines[index].at != limit:
            lines[index] = replace(lines[index], at=limit)
    return lines


def _lines(data: bytes, zone: tzinfo) -> Iterator[Line]:
    start: Optional[tuple[float, str]] = None
    parts: list[str] = []
    size = 0
    previous = 0.0
    # A crash of the machine leaves stretches of NUL bytes before the next line.
    for raw in data.replace(b"\0", b"").split(b"\n"):
        text = raw[:MAX_LINE].decode("utf-8", "replace").rstrip("\r")
        found = _PREFIX.match(text)
        at = _moment(found, zone, previous) if found else None
        if found is None or at is None:
            if start and text and size < MAX_ENTRY:
                parts.append(text)
                size += len(text)
            continue
        if start:
            yield _line(start, parts)
        previous = at if at > OLDEST else previous
        start = (previous or at, found[8])
        parts = [text[found.end() :]]
        size = len(text)
    if start:
        yield _line(start, parts)


def _line(start: tuple[float, str], parts: Sequence[str]) -> Line:
    context = _CONTEXT.match(parts[0])
    end = context.end() if context else 0
    return Line(start[0], start[1], parts[0][:end], "\n".join([parts[0][end:], *parts[1:]]))


def _moment(found: re.Match[str], zone: tzinfo, previous: float) -> Optional[float]:
    """Seconds of the epoch; in the hour that a change of the clocks repeats, the one in order."""
    try:
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        local = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        at = local.timestamp()
        if at < previous - DISORDER:
            again = local.replace(fold=1).timestamp()
            # Without a repeated hour both are the same.
            at = again if again >= previous - DISORDER else at
    except (ValueError, OverflowError):
        return None
    return at + float(found[7] or 0)


_PARTS = re.compile(r"(\d{1,12}(?:\.\d{1,30})?)(h|ms|m|s|us|\u00b5s|ns)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6, "ns": 1e-9}


def duration(text: str) -> Optional[float]:
    """Seconds of Go's time.Duration.

    >>> duration("28m23s"), duration("1h0m0s"), duration("1.5s"), duration("soon")
    (1703.0, 3600.0, 1.5, None)
    """
    end = 0
    total = 0.0
    for found in _PARTS.finditer(text):
        if found.start() != end:
            return None
        total += float(found[1]) * _UNITS[found[2]]
        end = found.end()
    return total if end and end == len(text) else None
