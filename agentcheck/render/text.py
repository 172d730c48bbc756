"""The report for a person: verdict and remedy first, then the path, then the checks.

80 columns and ASCII. Commands in remedies are not wrapped, so that they can be copied.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Optional

from agentcheck.model import (
    ERROR,
    FAIL,
    NOT_NEEDED,
    OK,
    SKIP,
    UNKNOWN,
    WARN,
    Cause,
    Report,
    Result,
    printable,
)

WIDTH = 80

Paint = Callable[[str, str], str]

_COLOURS = {OK: "32", WARN: "33", FAIL: "31", ERROR: "35", UNKNOWN: "35", SKIP: "2"}
# The path from the instance to the service: each hop and the checks that tell of it.
HOPS: Sequence[tuple[str, Sequence[str]]] = (
    ("agent", ("agent.",)),
    ("role", ("imds", "role", "permission")),
    ("name", ("dns.", "hosts.", "resolver.")),
    ("proxy", ("proxy.",)),
    ("security groups / port 443", ("tcp.",)),
    ("TLS", ("tls.",)),
)
_DIRECT = ("name", "security groups / port 443", "TLS")
_WORDS = {
    "ok": "ok",
    "timeout": "no answer",
    "refused": "refused",
    "no-route": "no route",
    "prohibited": "prohibited here",
    "failed": "failed",
}
_RANK = {FAIL: 0, ERROR: 1, WARN: 2, OK: 3}


def render(report: Report) -> str:
    """The report without colour."""
    return _render(report, lambda text, status: text)


def render_in_colour(report: Report) -> str:
    """The report for a terminal (ANSI colours)."""
    return _render(report, lambda text, status: f"\033[{_COLOURS[status]}m{text}\033[0m")


def _render(report: Report, paint: Paint) -> str:
    sections = [
        list(_head(report, paint)),
        list(_path(report, paint)),
        list(_details(report.verdict)),
        *(list(_other(cause, paint)) for cause in report.causes[1:]),
        [line for note in report.notes for line in _wrap(f"Note: {note.text}", "  ")],
        list(_checks(report.checks, paint)),
        list(_foot(report)),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _wrap(
    text: str, indent: str = "", first: str = "", max_lines: Optional[int] = None
) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        max_lines=max_lines,
        placeholder=" ...",
        initial_indent=first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _head(report: Report, paint: Paint) -> Iterator[str]:
    """Verdict, summary and the first step, in five lines; what is cut stands whole below."""
    verdict = report.verdict
    where = [report.instance.get("instance_id"), report.instance.get("region")]
    label = f"{verdict.status.upper()} {verdict.code}"
    yield paint(label, verdict.status) + printable("".join(f"  {word}" for word in where if word))
    yield from _wrap(verdict.summary, max_lines=2)
    if verdict.remedy:
        yield from _wrap(_first_step(verdict), max_lines=2)


def _first_step(verdict: Cause) -> str:
    return ("" if verdict.status == OK else "Fix: ") + verdict.remedy[0]


def _path(report: Report, paint: Paint) -> Iterator[str]:
    """The hops with their state, then the addresses of each service."""
    hops = [(name, _hop_status(report.checks, prefixes)) for name, prefixes in HOPS]
    through = next(status for name, status in hops if name == "proxy")
    # Behind a proxy the direct way does not matter.
    hidden = ("proxy",) if through is None else _DIRECT
    hops = [hop for hop in hops if hop[0] not in hidden]
    last = through or hops[-1][1]
    hops.append(("service", last if last == OK else None))
    if all(status is None for _, status in hops):
        return
    yield from _joined([_hop(name, status) for name, status in hops], paint)
    for endpoint in report.endpoints:
        yield from _wrap(_addresses(endpoint), " " * 15, f"  {endpoint['service']:<12} ")


def _hop_status(checks: Sequence[Result], prefixes: Sequence[str]) -> Optional[str]:
    """The worst status of the hop's checks; None when none of them was run."""
    found = [
        result.status for result in checks if result.status in _RANK and _tells_of(result, prefixes)
    ]
    return min(found, key=lambda status: _RANK[status]) if found else None


def _tells_of(result: Result, prefixes: Sequence[str]) -> bool:
    return any(result.id == p or (p.endswith(".") and result.id.startswith(p)) for p in prefixes)


def _hop_index(result: Result) -> int:
    """Checks are listed along the path; those of no hop come first."""
    return next((i for i, (_, p) in enumerate(HOPS) if _tells_of(result, p)), -1)


def _hop(name: str, status: Optional[str]) -> tuple[str, Optional[str]]:
    word = "-" if status is None else (status if status == OK else status.upper())
    return f"{name} {word}", status


def _joined(hops: Sequence[tuple[str, Optional[str]]], paint: Paint) -> Iterator[str]:
    """`agent ok > role ok > ...` on as few lines as fit."""
    line, width = "", 0
    for text, status in hops:
        if width and width + 3 + len(text) + 2 > WIDTH:
            yield line + " >"
            line, width = "  ", 2
        elif width:
            line, width = line + " > ", width + 3
        line, width = line + (paint(text, status) if status else text), width + len(text)
    yield line


def _addresses(endpoint: Mapping[str, Any]) -> str:
    """What became of each address of an endpoint."""
    way = endpoint.get("proxy")
    if way:
        return f"through {way['url']}: {_WORDS.get(way['state'], way['state'])}"
    rows = endpoint["addresses"]
    if not rows:
        state = endpoint.get("name")
        return f"{endpoint['host']}: " + ("not tried" if state in (None, "ok") else f"{state}")
    parts = []
    for row in rows[:8]:
        state = _WORDS.get(row["tcp"], row["tcp"])
        if row["tcp"] == "ok" and row["tls"] not in (None, "ok"):
            state = f"TLS {row['tls']}"
        parts.append(f"{row['address']} {state}")
    more = len(rows) - 8
    return ", ".join(parts) + (f", {more} more" if more > 0 else "")


def _details(cause: Cause) -> Iterator[str]:
    cut = [text for text in (cause.summary,) if len(_wrap(text)) > 2]
    yield from _list("In full:", cut)
    yield from _list("Evidence:", cause.evidence)
    shown = bool(cause.remedy) and len(_wrap(_first_step(cause))) <= 2
    yield from _list("Steps:", cause.remedy[1:] if shown else cause.remedy)


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield title
    for item in items:
        # Commands stay on one line, to be copied.
        words, colon, command = item.rpartition(": aws ")
        if colon:
            yield from _wrap(f"{words}:", "    ", "  - ")
            yield printable(f"    aws {command}")
        elif item.startswith("aws "):
            yield printable(f"    {item}")
        else:
            yield from _wrap(item, "    ", "  - ")


def _other(cause: Cause, paint: Paint) -> Iterator[str]:
    yield f"Also {paint(f'{cause.status.upper()} {cause.code}', cause.status)}"
    yield from _wrap(cause.summary, max_lines=2)
    if cause.remedy:
        yield from _wrap(_first_step(cause), max_lines=2)
    yield from _details(cause)


def _checks(checks: Sequence[Result], paint: Paint) -> Iterator[str]:
    shown = [result for result in checks if result.reason != NOT_NEEDED]
    if not shown:
        return
    yield "Checks:"
    width = max(len(result.id) for result in shown)
    for result in sorted(shown, key=_hop_index):
        word = paint(f"{result.status:<5}", result.status)
        start = f"  {'x' * 5} {result.id:<{width}}  "
        lines = _wrap(result.summary, " " * len(start), start) or [start]
        yield lines[0].replace("xxxxx", word, 1)
        yield from lines[1:]


def _foot(report: Report) -> Iterator[str]:
    yield f"More: {report.verdict.doc}"
    kind = "" if report.complete else ", not all checks"
    took = f"{report.duration_s:.1f} s{kind}"
    yield f"agentcheck {report.agentcheck_version}, {report.started}, {took}"
