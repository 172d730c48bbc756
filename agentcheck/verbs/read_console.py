"""The last report in the text of get-console-output, on your own machine."""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Optional

from agentcheck.model import EXIT_STATUS, AgentcheckError, UsageError, printable
from agentcheck.output import add_format_flag, complain, emit, emit_json
from agentcheck.render.console import PREFIX

# The console is 64 KiB, in base64, UTF-16 and JSON at most ten times as much; of a log that
# somebody kept for longer the end is enough.
MOST = 1 << 20
_COMMAND = "aws ec2 get-console-output --latest --output text --instance-id INSTANCE_ID"

# Escape sequences of ECMA-48, and colours whose escape character got lost on the way.
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]"
    r"|\[[0-9]{1,3}(?:;[0-9]{1,3})*m"
)
# Where a message of the kernel or of systemd begins: it may do so in the middle of our line.
_OTHERS = re.compile(
    r"\[ *\d+\.\d{6}\]"
    r"|\[(?:  OK  |FAILED|DEPEND| INFO | SKIP | TIME | WARN |[* ]{6})\]"
    r"| {9}[A-Z][a-z]+ing "
)
# What the kernel says first, and systemd where the kernel is to be quiet.
_STARTED = re.compile(r"Linux version \d|^ *Welcome to .+!$")
# A line of its own in the place of those; no text has a NUL left.
_START = "\0"
_HEAD = re.compile(r"(OK|WARN|FAIL|UNKNOWN|PENDING) (\S+)")
# A line break may be anywhere in it: a terminal's, or one that another's message left.
_SUMMARY = re.compile("\n?".join("SUMMARY"))
_FIELDS = re.compile(
    r"SUMMARY *status=(ok|warn|fail|unknown|pending) *verdict=([!-~]{1,64}?)"
    r" *instance=([!-~]{1,64}?) *time=(-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)",
    re.ASCII,
)
_LONGEST = 400


@dataclass(frozen=True)
class Told:
    """What SUMMARY says, and the report's lines, cleaned, without the beginning all have.

    `instance` and `time` (RFC 3339) are None where the instance itself did not know.
    """

    status: str
    verdict: str
    instance: Optional[str]
    time: Optional[str]
    lines: Sequence[str]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck read-console`."""
    parser.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="what it printed; - for stdin"
    )
    add_format_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Prints the newest report; the status is that of `agentcheck run` with that report."""
    place = "stdin" if arguments.file == "-" else arguments.file
    text = cleaned(_read(arguments.file))
    told, remarks = find(text)
    if told is None:
        raise AgentcheckError(f"{place}: {remarks[0]}")
    if arguments.format == "json":
        emit_json(asdict(told))
    else:
        emit("".join(f"{line}\n" for line in told.lines))
    for remark in remarks:
        complain(f"{place}: {remark}")
    return EXIT_STATUS[told.status]


def cleaned(raw: bytes) -> str:
    """The lines that were on the console, each whole again where another's message cut it.

    `raw` is plain, base64, or JSON with either in `Output`, in UTF-8 or UTF-16. Never raises.
    """
    text = _unpacked(_decoded(raw))
    # systemd goes back to the beginning of the line before it writes, as if nobody wrote but it.
    text = re.sub(r"\r(?=\[| {9})", "", _ESCAPES.sub("", text))
    text = re.sub(r"\r+\n?", "\n", text)
    return _without_others(_unwrapped([line for line in text.split("\n") if line.strip()]))


def find(text: str) -> tuple[Optional[Told], list[str]]:
    """The newest report in cleaned text, and what else its reader should know of it. Never raises.

    The newest is the last whose SUMMARY is whole.
    """
    begin, start, end, fields = 0, 0, 0, None
    for anchor in _SUMMARY.finditer(text):
        window = text[anchor.start() : anchor.start() + _LONGEST]
        found = _FIELDS.match(window.replace("\n", ""))
        if found:
            if fields is None or found.groups() != fields.groups():  # else it is there twice
                begin = end
            start, end = anchor.start(), anchor.start() + _reach(window, found.end())
            fields = found
    after = text[end:]
    unfinished = any(_HEAD.fullmatch(line) for line in _ours(after))
    if fields is None:
        return None, [_missing(unfinished)]
    status, verdict, instance, time = (None if word == "-" else word for word in fields.groups())
    assert status is not None
    verdict = verdict or "-"
    lines = list(_ours(text[begin:start].rpartition(_START)[2]))
    heads = [i for i, line in enumerate(lines) if line == f"{status.upper()} {verdict}"]
    remarks = []
    if not heads:
        remarks.append("the beginning of the report is not in it")
    if _START in after:
        remarks.append("the instance has started anew since that report")
    if unfinished:
        remarks.append("a newer report has begun and is not whole: ask again in a minute")
    whole = [*lines[heads[-1] if heads else 0 :], _ascii(fields[0])]
    return Told(status, verdict, instance, time, _once(whole)), remarks


def _read(path: str) -> bytes:
    """The end of a file or of stdin."""
    try:
        if path != "-":
            with open(path, "rb") as file:
                return _end_of(file)
        if sys.stdin is None:  # Python's way to say that it was closed before the start
            raise UsageError("stdin is closed; name a FILE")
        if sys.stdin.isatty():
            complain(f"reading what is typed here; usual is: {_COMMAND} | agentcheck read-console")
        return _end_of(sys.stdin.buffer)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(
            f"{path}: {error.strerror}; allowed: a file with the text, or - for stdin"
        ) from None
    except OSError as error:
        raise AgentcheckError(f"{path}: {error.strerror}; name a file that can be read") from None


def _end_of(file: BinaryIO) -> bytes:
    kept = bytearray()
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.seek(max(0, os.fstat(file.fileno()).st_size - MOST))
    while True:
        block = file.read(1 << 16)
        if not block:
            return bytes(kept[-MOST:])
        kept += block
        if len(kept) > 2 * MOST:
            del kept[:-MOST]


def _decoded(raw: bytes) -> str:
    """PowerShell's `>` writes UTF-16; without its mark a NUL is beside each of our characters."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace").replace("\0", "")
    return raw.decode("utf-8-sig", "replace").replace("\0", "")


def _unpacked(text: str) -> str:
    """The console's own text: out of JSON or the API's XML, out of base64, without escapes."""
    text = text.strip()
    if text[:1] in ("{", "[", '"'):
        try:
            text = "\n".join(_strings(json.loads(text)))
        except (ValueError, RecursionError):
            pass  # a part of a document, or a console's line that begins so
    inside = re.search(r"<output>([^<]*)</output>", text)
    if inside:
        text = inside[1]
    compact = "".join(text.split())
    if re.fullmatch(r"[A-Za-z0-9+/]{16,}={0,2}", compact):
        return _decoded(_base64(compact.rstrip("=")))
    if text.count("\\n") > text.count("\n"):
        return _unescaped(text)
    return text


def _strings(value: Any, depth: int = 0) -> Iterator[str]:
    """All texts in a document: of one with `Output` only that."""
    if isinstance(value, str):
        yield _unpacked(value) if depth else value
    elif isinstance(value, dict) and isinstance(value.get("Output"), str):
        yield _unpacked(value["Output"])
    elif isinstance(value, (dict, list)) and depth < 4:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner, depth + 1)


def _base64(compact: str) -> bytes:
    """As much as there is: the end may be missing."""
    usable = compact[: len(compact) - 1] if len(compact) % 4 == 1 else compact
    return base64.b64decode(usable + "=" * (-len(usable) % 4))


def _unescaped(text: str) -> str:
    """`\\r\\n`, `\\u001b` and the like as in JSON and YAML, whose lines a backslash continues."""
    plain = {"n": "\n", "r": "\r", "t": "\t", "e": "\x1b"}

    def put(match: re.Match[str]) -> str:
        word = match[1]
        if word[0] in "ux" and len(word) > 1:
            return chr(int(word[1:], 16))
        return "" if word[0] == "\n" else plain.get(word, word)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\n[ \t]*|.)", put, text).replace("\0", "")


def _unwrapped(lines: Sequence[str]) -> Iterator[str]:
    """Joins what a terminal of some width has broken: lines of ours that fill it, and their rest.

    The width is that of the longest line; a space at the break is often lost.
    """
    width = max(map(len, lines), default=0)
    parts: list[str] = []
    for line in lines:
        if parts and (PREFIX in line or _OTHERS.search(line) or not _fills(parts, width)):
            yield "".join(parts)
            parts = []
        if parts:
            parts[-1] = parts[-1].ljust(width)
        parts.append(line)
    if parts:
        yield "".join(parts)


def _fills(parts: Sequence[str], width: int) -> bool:
    """Whether a line of ours goes on after these parts of it."""
    if len(parts[-1]) < width - 1 or width < 2 * len(PREFIX):
        return False
    _, prefix, rest = parts[0].partition(PREFIX)
    return bool(prefix) and _OTHERS.search(rest) is None


def _without_others(lines: Iterator[str]) -> str:
    """Takes out the messages of the kernel and of systemd, and so joins what they have cut."""
    kept: list[str] = []
    cut = False  # whether what is last in `kept` is the beginning of a line of ours
    for line in lines:
        if cut and PREFIX in line:  # it was whole but for its end
            kept.append("\n")
        other = _OTHERS.search(line)
        before = line[: other.start()] if other else ""
        if PREFIX not in line and _STARTED.search(line):
            kept += before, "\n", _START, "\n"
        elif other is None:
            kept += line, "\n"
        elif PREFIX in line[other.end() :]:  # that is but the beginning of our line
            kept += before, "\n", line[other.end() :], "\n"
        else:
            kept.append(before)
            cut = cut or PREFIX in before
            continue
        cut = False
    return "".join(kept)


def _ours(text: str) -> Iterator[str]:
    """The lines of reports, without what is before them."""
    for line in text.split("\n"):
        _, prefix, rest = line.partition(PREFIX)
        while rest.startswith(PREFIX):
            rest = rest[len(PREFIX) :]
        if prefix and rest.strip():
            yield _ascii(rest.rstrip())


def _once(lines: Sequence[str]) -> list[str]:
    """Where two ways lead to the console each line is there twice."""
    return [line for i, line in enumerate(lines) if i == 0 or line != lines[i - 1]]


def _ascii(text: str) -> str:
    return printable(text).encode("ascii", "replace").decode("ascii")


def _reach(window: str, count: int) -> int:
    """How far the first `count` characters reach, line breaks not counted."""
    for index, char in enumerate(window):
        count -= char != "\n"
        if count == 0:
            return index + 1
    return len(window)


def _missing(unfinished: bool) -> str:
    if unfinished:
        return f"a report has begun but has no SUMMARY yet; ask again in a minute: {_COMMAND}"
    return (
        f"no report of agentcheck in it; was it got with --latest ({_COMMAND}; Nitro instances"
        " only), and are agentcheck and its boot unit in the image?"
    )
