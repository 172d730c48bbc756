"""The report for Nagios, Icinga and what else runs monitoring plugins.

The first line is the status with perfdata, the further ones are long output; the exit status of
`agentcheck run` is the plugin's. Monitoring Plugins Development Guidelines, "Plugin Output".
"""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.model import FAIL, OK, WARN, Cause, Report, printable
from agentcheck.render.prometheus import phases

_WORDS = {OK: "OK", WARN: "WARNING", FAIL: "CRITICAL"}
# Old NRPE daemons keep 1 KiB of output: the perfdata of the first line should be in it.
_MAX_SUMMARY = 400


def render(report: Report) -> str:
    """The status line; unless all is well also services, evidence, steps and other causes."""
    verdict = report.verdict
    perfdata = " ".join(_perfdata(report))
    lines = [f"AGENTCHECK {_line(verdict)} | {perfdata}"]
    if verdict.status != OK:
        lines += _details(verdict)
        lines += [f"Also {_line(cause)}" for cause in report.causes[1:]]
        lines.append(f"More: {verdict.doc}")
    return "\n".join(lines) + "\n"


def _line(cause: Cause) -> str:
    summary = cause.summary
    if len(summary) > _MAX_SUMMARY:
        summary = summary[: _MAX_SUMMARY - 4] + " ..."
    return _plain(f"{_WORDS.get(cause.status, 'UNKNOWN')} - {cause.code}: {summary}")


def _plain(text: str) -> str:
    """One line without `|`, after which perfdata would begin."""
    return printable(text.replace("|", "/"))


def _details(cause: Cause) -> Iterator[str]:
    if cause.services:
        yield _plain(f"Services: {', '.join(cause.services)}")
    for evidence in cause.evidence:
        yield _plain(f"Evidence: {evidence}")
    for step in cause.remedy:
        yield _plain(f"Fix: {step}")


def _perfdata(report: Report) -> Iterator[str]:
    """`'label'=value[unit];warn;crit;min`: seconds of the round and of each phase."""
    yield f"time={report.duration_s:.3f}s;;;0"
    for endpoint in report.endpoints:
        for phase, seconds in phases(report, endpoint).items():
            label = _plain(f"{endpoint['service']}_{phase}").replace("'", "").replace("=", "")
            yield f"'{label}'={seconds:.4f}s;;;0"
