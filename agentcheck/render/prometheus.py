"""The report as Prometheus metrics, text format 0.0.4; also what a node_exporter textfile holds.

The raw state of the round, without timestamps: how old it is tells
`agentcheck_last_run_timestamp_seconds`. Metrics without a value in a report are left out.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from agentcheck.model import (
    FAIL,
    OK,
    PENDING,
    SKIP,
    UNKNOWN,
    WARN,
    Live,
    Report,
    Result,
    printable,
)

STATUSES = (OK, WARN, FAIL, UNKNOWN, PENDING)
_GOOD = (OK, WARN)

Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True)
class _Metric:
    """One metric: `samples` yields labels and values, of two with the same labels the last."""

    name: str
    help: str
    samples: Callable[[Report, Optional[Live]], Iterable[Sample]]
    kind: str = "gauge"


def render(report: Report, live: Optional[Live] = None) -> str:
    """All metrics of a round; with `live` also what the daemon counts."""
    return "".join(_text(metric, metric.samples(report, live)) for metric in _METRICS)


def waiting(version: str) -> str:
    """What the daemon serves before its first round has ended."""
    values: Mapping[str, Iterable[Sample]] = {
        "agentcheck_build_info": [({"version": version}, 1)],
        "agentcheck_healthy": [({}, 0)],
        "agentcheck_status": _one_of(PENDING),
    }
    return "".join(_text(m, values[m.name]) for m in _METRICS if m.name in values)


def phases(report: Report, endpoint: Mapping[str, Any]) -> Mapping[str, float]:
    """Seconds by phase on the agent's way to an endpoint, each of its slowest address."""
    found: dict[str, float] = {}
    for result in report.checks:
        family, _, service = result.id.partition(".")
        on_the_way = (family == "proxy") == bool(endpoint.get("proxy"))
        if service == endpoint["service"] and on_the_way and result.status != SKIP:
            found.update(result.phases)
    return found


def _text(metric: _Metric, samples: Iterable[Sample]) -> str:
    """The metric's lines; nothing when it has no samples."""
    # A series that stands twice would make the whole scrape fail.
    series = {_labels(labels): value for labels, value in samples}
    if not series:
        return ""
    lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
    lines += [f"{metric.name}{labels} {_number(value)}" for labels, value in series.items()]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    return printable(text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n"))


def _number(value: float) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def _one_of(status: str) -> Sequence[Sample]:
    return [({"status": other}, int(other == status)) for other in STATUSES]


def _build_info(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    yield {"version": report.agentcheck_version}, 1


def _healthy(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    yield {}, int(report.status in _GOOD)


def _status(report: Report, live: Optional[Live]) -> Sequence[Sample]:
    return _one_of(report.status)


def _verdict(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    yield {"code": report.verdict.code}, 1


def _ran(report: Report) -> Iterator[Result]:
    return (result for result in report.checks if result.status != SKIP)


def _check_success(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    for result in _ran(report):
        yield {"check": result.id}, int(result.status in _GOOD)


def _check_duration(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    for result in _ran(report):
        yield {"check": result.id}, result.duration_s


def _endpoint_success(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    for endpoint in report.endpoints:
        usable = _usable(endpoint)
        if usable is not None:
            yield {"service": endpoint["service"]}, int(usable)


def _usable(endpoint: Mapping[str, Any]) -> Optional[bool]:
    """Whether name, TCP and TLS work on the agent's way; None where that was not tried."""
    way = endpoint.get("proxy")
    if way:
        return None if way["state"] == "not-tried" else bool(way["state"] == "ok")
    rows = endpoint["addresses"]
    if not rows:
        return None if endpoint.get("name") in (None, "ok") else False
    tls = [row["tls"] for row in rows if row["tcp"] == "ok"]
    return None if tls and not any(tls) else "ok" in tls


def _endpoint_duration(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    for endpoint in report.endpoints:
        for phase, seconds in phases(report, endpoint).items():
            yield {"service": endpoint["service"], "phase": phase}, seconds


def _agent_info(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    names = ("version", "running_version")
    if report.agent.get("installed"):
        yield {name: str(report.agent.get(name) or "") for name in names}, 1


_END_OF_TIME = 1e12  # more is no moment


def _credentials_expiry(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    for result in report.checks:
        expiration = result.facts.get("expiration") if result.id == "role" else None
        if isinstance(expiration, (int, float)) and 0 <= expiration < _END_OF_TIME:
            yield {}, expiration


def _last_run(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    whole, _, fraction = report.started.rstrip("Z").partition(".")
    try:
        begun = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
        yield {}, round(begun + float(f"0.{fraction or 0}") + report.duration_s, 3)
    except ValueError:
        return  # not a moment: better no metric than no scrape


def _runs(report: Report, live: Optional[Live]) -> Iterator[Sample]:
    if live is not None:
        for status in dict.fromkeys((*STATUSES, *live.runs)):
            yield {"status": status}, live.runs.get(status, 0)


_METRICS: Sequence[_Metric] = (
    _Metric("agentcheck_build_info", "Version of agentcheck.", _build_info),
    _Metric("agentcheck_healthy", "1 when the last round's status is ok or warn.", _healthy),
    _Metric("agentcheck_status", "1 for the status of the last round, else 0.", _status),
    _Metric("agentcheck_verdict", "1 for the verdict code of the last round.", _verdict),
    _Metric(
        "agentcheck_check_success",
        "1 when the check is ok or warn, 0 when it failed or could not tell; not of skipped ones.",
        _check_success,
    ),
    _Metric("agentcheck_check_duration_seconds", "How long the check took.", _check_duration),
    _Metric(
        "agentcheck_endpoint_success",
        "1 when name, TCP and TLS of the endpoint work on the way that the agent takes.",
        _endpoint_success,
    ),
    _Metric(
        "agentcheck_endpoint_duration_seconds",
        "How long a phase took on the way to the endpoint, with its slowest address.",
        _endpoint_duration,
    ),
    _Metric("agentcheck_ssm_agent_info", "Versions of the SSM Agent.", _agent_info),
    _Metric(
        "agentcheck_credentials_expiry_timestamp_seconds",
        "When the credentials of the instance's role end.",
        _credentials_expiry,
    ),
    _Metric("agentcheck_last_run_timestamp_seconds", "When the last round ended.", _last_run),
    _Metric("agentcheck_runs_total", "Rounds since the daemon's start.", _runs, "counter"),
)
