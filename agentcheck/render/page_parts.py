"""The parts of the status page below its verdict, and what all parts are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from agentcheck.model import (
    ERROR,
    FAIL,
    NOT_NEEDED,
    OK,
    PENDING,
    SKIP,
    UNKNOWN,
    WARN,
    HistoryEntry,
    Live,
    Report,
    Result,
)
from agentcheck.render.diagram import clean, icon
from agentcheck.render.endpoints import place_of
from agentcheck.render.hops import NOT_REACHED, word_of

_STRIP = 14  # the newest changes, as blocks
_LISTED = 50  # and as text
_SHAPES = {SKIP: NOT_REACHED, ERROR: UNKNOWN}
_KNOWN = (OK, WARN, FAIL, UNKNOWN, PENDING)
_ALONG = ("agent.", "imds", "role", "permission", "dns.", "hosts.", "resolver.", "proxy.", "tcp.")


def kind_of(status: str) -> str:
    """The state whose colour and shape a status of a report or a check has."""
    found = _SHAPES.get(status, status)
    return found if found in (*_KNOWN, NOT_REACHED) else UNKNOWN


def chip(status: str) -> str:
    """Shape and word of a status."""
    kind = kind_of(status)
    word = clean(status)
    return f'<span class="chip s-{kind}">{icon(kind)}<span class="word">{word}</span></span>'


def moment(when: Optional[str]) -> str:
    """`2026-11-25T04:00:00.000Z` for people, to the second."""
    if not when:
        return "an unknown time"
    day, _, clock = when.partition("T")
    shown = f"{day} {clock.rstrip('Z').partition('.')[0]} UTC" if clock else when
    return f'<time datetime="{clean(when)}">{clean(shown)}</time>'


def section(name: str, title: str, inside: Sequence[str], kind: str = "") -> Iterator[str]:
    """A card with a heading; `name` is for its id, `title` and `inside` are HTML."""
    classes = f"card {kind}".rstrip()
    yield f'<section class="{classes}" aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>'
    yield from inside
    yield "</section>"


def listed(title: str, heading: str, items: Sequence[str]) -> Iterator[str]:
    """A titled list of texts; nothing when there are none."""
    if items:
        yield f'<{heading}>{title}</{heading}><ul class="plain">'
        yield from (f"<li>{clean(item)}</li>" for item in items)
        yield "</ul>"


def facts(report: Report) -> Iterator[str]:
    """Where the instance is, as far as the verdict does not name it already."""
    instance, agent = report.instance, report.agent
    told = [(title, instance.get(key)) for title, key in _INSTANCE_FACTS]
    told.append(("Agent", " ".join(str(agent[k]) for k in ("package", "path") if agent.get(k))))
    rows = []
    for title, value in told:
        text = ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else value
        if text:
            rows.append(f"<dt>{title}</dt><dd>{clean(text)}</dd>")
    if rows:
        found = ['<dl class="facts">', *rows, "</dl>"]
        yield from section("instance", "This instance", found)


_INSTANCE_FACTS = (
    ("VPC", "vpc_id"),
    ("VPC networks", "vpc_cidrs"),
    ("Subnet", "subnet_id"),
    ("Private IPv4", "local_ipv4"),
    ("Public IPv4", "public_ipv4"),
    ("Security groups", "security_groups"),
    ("AMI", "ami_id"),
    ("Type", "instance_type"),
)


def history(live: Live) -> Iterator[str]:
    """The confirmed changes: the newest as blocks, more of them as text."""
    if not live.history:
        return
    newest = live.history[:_STRIP]
    inside = ['<ol class="strip">']
    inside += [
        f'<li class="s-{kind_of(entry.status)}" data-status="{clean(entry.status)}">'
        f"{chip(entry.status)}<code>{clean(entry.verdict)}</code>{moment(entry.time)}</li>"
        for entry in newest
    ]
    inside.append("</ol>")
    shown = live.history[:_LISTED]
    cut = len(shown) < len(live.history)
    many = f"the newest {len(shown)} of {len(live.history)}" if cut else "all"
    inside.append(f"<details><summary>As text, newest first ({many})</summary>")
    inside += ['<ol class="plain">', *(_change(entry) for entry in shown), "</ol></details>"]
    yield from section("history", "History, newest on the right", inside)


def _change(entry: HistoryEntry) -> str:
    before = f" (before: {clean(entry.previous)})" if entry.previous else ""
    about = f": {clean(', '.join(entry.services))}" if entry.services else ""
    what = f"{clean(entry.status)} {clean(entry.verdict)}{about}{before}"
    return f"<li>{moment(entry.time)}: {what}</li>"


def checks(report: Report) -> Iterator[str]:
    """All checks that had anything to look at, along the path."""
    shown = [result for result in report.checks if result.reason != NOT_NEEDED]
    rows = [
        f'<tr data-check="{clean(r.id)}" data-status="{clean(r.status)}">'
        f'<th scope="row">{chip(r.status)} <span class="mono">{clean(r.id)}</span></th>'
        f'<td>{clean(r.summary)} <span class="muted">{r.duration_s:.2f} s</span></td></tr>'
        for r in sorted(shown, key=_order)
    ]
    if rows:
        yield from section("checks", "Checks", _table("Check", "What it found", rows))


def _order(result: Result) -> int:
    """Along the path, as in the text report; checks of no hop come first."""
    found = (i for i, p in enumerate(_ALONG) if result.id == p or result.id.startswith(p))
    last = len(_ALONG) if result.id.startswith("tls.") else -1
    return next(found, last)


def _table(first: str, second: str, rows: Sequence[str]) -> list[str]:
    head = f'<thead><tr><th scope="col">{first}</th><th scope="col">{second}</th></tr></thead>'
    return ["<table>", head, "<tbody>", *rows, "</tbody></table>"]


def addresses(report: Report) -> Iterator[str]:
    """Every address of every endpoint: the diagram shows a few of each place."""
    rows = [
        f'<tr><th scope="row"><span class="mono">{clean(row.get("address", ""))}</span><br>'
        f"{clean(endpoint.get('service', ''))}</th><td>{place_of(row)}"
        f"; port 443: {clean(word_of(str(row.get('tcp'))))}, TLS:"
        f" {clean(word_of(str(row.get('tls') or 'not tried')))}</td></tr>"
        for endpoint in report.endpoints
        for row in endpoint.get("addresses", ())
    ]
    if rows:
        inside = [
            f"<details><summary>All {len(rows)} addresses, tried directly</summary>",
            *_table("Address, service", "Where it is, what answered", rows),
            "</details>",
        ]
        yield from section("addresses", "Addresses of the endpoints", inside)
