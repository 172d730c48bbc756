"""The report for the machine's console, which `aws ec2 get-console-output` shows from outside.

Plain ASCII, every line with the same beginning so that it is found between those of the kernel, and
small: the console keeps 64 KiB for all. The SUMMARY line ends it and is always whole.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from agentcheck.model import Report, printable

PREFIX = "agentcheck: "
MAX_BYTES = 2048
WIDTH = 80
# Lines of one text at most: a summary or a step is never so long unless something is wrong.
_MAX_LINES = 6
# A line ends in two bytes on a serial line.
_LINE_END = 2


def render(report: Report) -> str:
    """Verdict, summary, services and as many steps as there is room for, then SUMMARY."""
    last = [f"More: agentcheck explain {_word(report.verdict.code)}", _summary(report)]
    lines: list[str] = []
    room = MAX_BYTES - _size(last)
    for block in _blocks(report):
        room -= _size(block)
        if room < 0:
            break
        lines += block
    return "".join(f"{PREFIX}{line}\n" for line in [*lines, *last])


def _size(lines: Sequence[str]) -> int:
    return sum(len(PREFIX) + len(line) + _LINE_END for line in lines)


def _blocks(report: Report) -> Iterator[list[str]]:
    """What stands or is left out as a whole, the most important first."""
    verdict = report.verdict
    yield [f"{_word(verdict.status, 16).upper()} {_word(verdict.code)}"]
    yield _wrapped(verdict.summary)
    if verdict.services:
        yield _wrapped(f"Services: {', '.join(verdict.services)}")
    if verdict.remedy:
        yield _step(verdict.remedy[0])
    others = [cause.code for cause in report.causes[1:]]
    if others:
        yield _wrapped(f"Also: {', '.join(others)}")
    for step in verdict.remedy[1:]:
        yield _step(step)


def _summary(report: Report) -> str:
    """`SUMMARY status= verdict= instance= time=`, the words without spaces and not too long."""
    verdict = report.verdict
    instance = _word(str(report.instance.get("instance_id") or "-"))
    moment = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", report.started, re.ASCII)
    return (
        f"SUMMARY status={_word(verdict.status, 16)} verdict={_word(verdict.code)}"
        f" instance={instance} time={moment[0] + 'Z' if moment else '-'}"
    )


def _word(text: str, most: int = 64) -> str:
    return re.sub(r"[^!-~]", "?", text)[:most] or "-"


def _ascii(text: str) -> str:
    return printable(text).encode("ascii", "replace").decode("ascii")


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        _ascii(text),
        WIDTH - len(PREFIX),
        subsequent_indent=indent,
        max_lines=_MAX_LINES,
        placeholder=" ...",
        break_on_hyphens=False,
    )


def _step(step: str) -> list[str]:
    """A step; its command on a line of its own, to be copied."""
    words, colon, command = step.rpartition(": aws ")
    if colon:
        return [*_wrapped(f"- {words}:"), _ascii(f"  aws {command}")]
    if step.startswith("aws "):
        return [_ascii(f"  {step}")]
    return _wrapped(f"- {step}")
