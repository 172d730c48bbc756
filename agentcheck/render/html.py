"""The report as one self-contained HTML page: to attach to a ticket, and the daemon's page.

No script, no font, nothing fetched, no style but the one element whose hash the policy names.
All that a report holds is escaped, also what looks harmless: much of it came from others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from agentcheck import __version__
from agentcheck.model import (
    OK,
    PENDING,
    WARN,
    Cause,
    Live,
    Report,
)
from agentcheck.render import diagram
from agentcheck.render.diagram import clean, icon
from agentcheck.render.page_parts import (
    addresses,
    checks,
    chip,
    facts,
    history,
    kind_of,
    listed,
    moment,
    section,
)
from agentcheck.render.page_style import CONTENT_SECURITY_POLICY, PAGE_POLICY, STYLE

__all__ = ("CONTENT_SECURITY_POLICY", "render", "waiting")

REFRESH_S = 30  # of the daemon's page: a round comes every few minutes
REFRESH_WAITING_S = 5  # before the first round, which takes seconds
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def render(report: Report, live: Optional[Live] = None) -> str:
    """The whole page. With `live` it is the daemon's: it refreshes itself and shows what was
    confirmed, how old the report is, and the history."""
    verdict = report.verdict
    name = report.instance.get("instance_id") or "this instance"
    body = [
        *(_banners(report, live) if live else ()),
        *_verdict(report, live),
        f'<div class="columns{"" if report.causes else " calm"}">',
        *section("path", "Path to the service", [diagram.render(report)], "diagram"),
        '<div class="stack">',
        '<div class="card">',
        *_what_to_do(verdict, "h2"),
        "</div>",
        *_others(report.causes[1:]),
        *_notes(report),
        "</div>",
        *facts(report),
        "</div>",
        *(history(live) if live else ()),
        *checks(report),
        *addresses(report),
    ]
    title = f"{verdict.status.upper()} {verdict.code} \u2013 {name}"
    return _page(title, body, _foot(report, live), REFRESH_S if live else None)


def waiting(live: Live) -> str:
    """The daemon's page before its first round has ended."""
    body = [
        f'<header class="card verdict s-{PENDING}" data-status="{PENDING}"'
        f' data-verdict="{PENDING}">',
        f'<h1>{icon(PENDING)}<span class="word">PENDING</span></h1>',
        '<p class="summary">The first round of checks has not ended yet. This page refreshes'
        " itself.</p></header>",
        *history(live),
    ]
    foot = [f"<p>agentcheck {clean(__version__)}</p>"]
    return _page("PENDING \u2013 agentcheck", body, foot, REFRESH_WAITING_S)


def _page(title: str, body: Sequence[str], foot: Iterable[str], refresh: Optional[int]) -> str:
    again = [f'<meta http-equiv="refresh" content="{refresh}">'] if refresh else []
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{PAGE_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            *again,
            f"<title>{clean(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            diagram.signs(),
            "<main>",
            *body,
            "</main>",
            "<footer>",
            *foot,
            "</footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _age(seconds: float) -> str:
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h"
    return f"{whole // _DAY} days"


def _banners(report: Report, live: Live) -> Iterator[str]:
    if live.stale:
        yield (
            f'<p class="card banner s-{WARN}" data-stale="true">{icon(WARN)} <strong>Stale.'
            f"</strong> This report is {_age(live.age_s)} old: the daemon has made no newer one,"
            " so what it says may no longer hold.</p>"
        )
    if PENDING in (live.confirmed_status, report.status):
        yield (
            f'<p class="card banner s-{PENDING}">{icon(PENDING)} <strong>Pending.</strong>'
            " Trouble is expected for a while (just booted, or the agent updates itself): what the"
            " last round found does not count yet.</p>"
        )


def _verdict(report: Report, live: Optional[Live]) -> Iterator[str]:
    verdict = report.verdict
    kind = kind_of(verdict.status)
    yield (
        f'<header class="card verdict s-{kind}" data-status="{clean(verdict.status)}"'
        f' data-verdict="{clean(verdict.code)}">'
    )
    yield (
        f'<h1>{icon(kind)}<span class="word">{clean(verdict.status.upper())}</span>'
        f" <code>{clean(verdict.code)}</code></h1>"
    )
    yield f'<p class="summary">{clean(verdict.summary)}</p>'
    if live:
        yield from _confirmed(report, live)
    instance = report.instance
    facts = [
        ("Instance", instance.get("instance_id")),
        ("Region", instance.get("region")),
        ("Zone", instance.get("availability_zone")),
        ("Agent", report.agent.get("running_version") or report.agent.get("version")),
    ]
    yield "<dl>"
    yield from (f"<div><dt>{n}</dt><dd>{clean(v)}</dd></div>" for n, v in facts if v)
    yield f"<div><dt>Checked</dt><dd>{moment(report.started)}</dd></div>"
    if live:
        yield f"<div><dt>Age</dt><dd data-age>{_age(live.age_s)}</dd></div>"
    yield "</dl></header>"


def _confirmed(report: Report, live: Live) -> Iterator[str]:
    """What rounds agreed on, and whether the last one says the same."""
    code = clean(live.confirmed_verdict)
    said = [chip(live.confirmed_status)]
    said += [] if live.confirmed_verdict == PENDING else [f"<code>{code}</code>"]
    said += [f"since {moment(live.confirmed_since)}"] if live.confirmed_since else []
    status = clean(live.confirmed_status)
    yield f'<p class="confirmed" data-confirmed="{status}">Confirmed: {" ".join(said)}.'
    same = (live.confirmed_status, live.confirmed_verdict) == (report.status, report.verdict.code)
    if not same and live.confirmed_status != PENDING:
        yield " The last round, shown here, says otherwise and is not confirmed yet."
    yield "</p>"


def _what_to_do(cause: Cause, heading: str) -> Iterator[str]:
    if cause.remedy:
        title = "Next" if cause.status == OK else "How to fix it"
        yield f"<{heading}>{title}</{heading}>"
        yield '<ol class="steps">' if len(cause.remedy) > 1 else '<ol class="steps single">'
        yield from _steps(cause.remedy)
        yield "</ol>"
    yield from listed("Evidence", "h3" if cause.remedy else heading, cause.evidence)
    if not any(cause.doc in step for step in cause.remedy):
        yield f'<p class="more muted">More: <code>{clean(cause.doc)}</code></p>'


def _steps(remedy: Sequence[str]) -> Iterator[str]:
    """A command stands by itself below the words that lead to it."""
    opened = False
    for item in remedy:
        words, colon, command = item.rpartition(": aws ")
        bare = item.startswith("aws ")
        if not bare or not opened:
            yield "</li><li>" if opened else "<li>"
            opened = True
        if not bare:
            yield clean(f"{words}:" if colon else item)
        if bare or colon:
            whole = item if bare else f"aws {command}"
            yield f"<pre><code>{_words(whole)}</code></pre>"
    if opened:
        yield "</li>"


def _words(command: str) -> str:
    """The command so that lines break between its words where they can, never at a hyphen."""
    return " ".join(f"<span>{clean(word)}</span>" for word in command.split(" "))


def _others(causes: Sequence[Cause]) -> Iterator[str]:
    for cause in causes:
        yield '<div class="card">'
        yield f"<h2>Also {chip(cause.status)} <code>{clean(cause.code)}</code></h2>"
        yield f"<p>{clean(cause.summary)}</p>"
        yield from _what_to_do(cause, "h3")
        yield "</div>"


def _notes(report: Report) -> Iterator[str]:
    if report.notes:
        yield '<div class="card">'
        yield from listed("Notes", "h2", [note.text for note in report.notes])
        yield "</div>"


def _foot(report: Report, live: Optional[Live]) -> Iterator[str]:
    kind = "" if report.complete else ", not all checks"
    yield (
        f"<p>agentcheck {clean(report.agentcheck_version)}, {moment(report.started)}, took"
        f" {report.duration_s:.1f} s, trigger {clean(report.trigger)}{kind}</p>"
    )
    yield f"<p>Run <code>{clean(report.run_id)}</code></p>"
    if live:
        yield f"<p>{_LINKS}</p>"


_LINKS = " \u00b7 ".join(
    f'<a href="{to}">{name}</a>'
    for to, name in (("/status", "report (JSON)"), ("/history", "history"), ("/metrics", "metrics"))
)
