"""The report as one JSON object; its shape is `report.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from agentcheck.model import (
    ERROR,
    FAIL,
    OK,
    PENDING,
    SCHEMA,
    SKIP,
    UNKNOWN,
    WARN,
    Cause,
    Note,
    Report,
    Result,
    printable,
)


def render(report: Report) -> str:
    """ASCII JSON with a newline at its end."""
    return dump(document(report))


def dump(found: Mapping[str, Any]) -> str:
    """The object as text."""
    return json.dumps(found, indent=2) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The object of CONTRACT's JSON report."""
    return {
        "schema": SCHEMA,
        "agentcheck_version": report.agentcheck_version,
        "run_id": report.run_id,
        "started": report.started,
        "duration_s": report.duration_s,
        "trigger": report.trigger,
        "profile": report.profile,
        "complete": report.complete,
        "status": report.status,
        "verdict": _cause(report.verdict),
        "causes": [_cause(cause) for cause in report.causes],
        "notes": [{"code": note.code, "text": note.text} for note in report.notes],
        "checks": [_result(result) for result in report.checks],
        "instance": dict(report.instance),
        "agent": dict(report.agent),
        "endpoints": [dict(endpoint) for endpoint in report.endpoints],
    }


def read(document: Mapping[str, Any]) -> Report:
    """The report of such an object: what passes from a round to the daemon and on to readers.

    Keys that a newer version added are left out. Raises ValueError for anything that is no report:
    who reads it further relies on its types, and that no text has orders for a terminal in it.
    """
    if document.get("schema") != SCHEMA:
        raise ValueError(f"no {SCHEMA}")
    document = _clean(document)
    causes = _items(document, "causes", dict)
    checks = _items(document, "checks", dict)
    return Report(
        agentcheck_version=_text(document, "agentcheck_version"),
        run_id=_text(document, "run_id"),
        started=_text(document, "started"),
        duration_s=_number(document, "duration_s"),
        trigger=_text(document, "trigger"),
        profile=_text(document, "profile"),
        complete=document.get("complete") is True,
        verdict=_read_cause(_typed(document, "verdict", dict)),
        causes=tuple(_read_cause(cause) for cause in causes),
        notes=tuple(
            Note(_text(note, "code"), _text(note, "text"))
            for note in _items(document, "notes", dict)
        ),
        checks=tuple(_read_result(result) for result in checks),
        instance=_typed(document, "instance", dict),
        agent=_typed(document, "agent", dict),
        endpoints=tuple(_read_endpoint(e) for e in _items(document, "endpoints", dict)),
    )


MAX_DEPTH = 20
_STATUSES = (OK, WARN, FAIL, UNKNOWN, PENDING)
_RESULTS = (OK, WARN, FAIL, SKIP, ERROR)


def _typed(found: Mapping[str, Any], key: str, kind: type) -> Any:
    value = found.get(key)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"not a report ({key})")
    return value


def _clean(value: Any, depth: int = 0) -> Any:
    """The same with texts that can be shown; half of a surrogate pair is JSON, but no text."""
    if depth > MAX_DEPTH:
        raise ValueError("not a report (nested too deeply)")
    if isinstance(value, str):
        return "\n".join(printable(line) for line in value.split("\n"))
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_clean(key, depth + 1): _clean(item, depth + 1) for key, item in value.items()}
    return value


def _text(found: Mapping[str, Any], key: str) -> str:
    return str(_typed(found, key, str))


def _number(found: Mapping[str, Any], key: str) -> float:
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise ValueError(f"not a report ({key})")
    return float(value)


def _items(found: Mapping[str, Any], key: str, kind: type) -> list[Any]:
    items: list[Any] = _typed(found, key, list)
    if not all(isinstance(item, kind) for item in items):
        raise ValueError(f"not a report ({key})")
    return items


def _texts(found: Mapping[str, Any], key: str) -> list[str]:
    return list(_items(found, key, str))


def _maybe(found: Mapping[str, Any], key: str) -> Optional[str]:
    return None if found.get(key) is None else _text(found, key)


def _read_cause(found: Mapping[str, Any]) -> Cause:
    if found.get("status") not in _STATUSES:
        raise ValueError("not a report (status)")
    return Cause(
        _text(found, "code"),
        _text(found, "status"),
        _text(found, "summary"),
        _texts(found, "evidence"),
        _texts(found, "remedy"),
        _texts(found, "services"),
        _maybe(found, "reason"),
    )


def _read_result(found: Mapping[str, Any]) -> Result:
    if found.get("status") not in _RESULTS:
        raise ValueError("not a report (status of a check)")
    phases = _typed(found, "phases", dict)
    return Result(
        _text(found, "id"),
        _text(found, "status"),
        _text(found, "summary"),
        _maybe(found, "reason"),
        _maybe(found, "target"),
        _typed(found, "facts", dict),
        _maybe(found, "caused_by"),
        _maybe(found, "started"),
        _number(found, "duration_s"),
        {name: _number(phases, name) for name in phases},
    )


def _read_endpoint(found: Mapping[str, Any]) -> dict[str, Any]:
    """What renderers rely on is there, and of its type."""
    way = _typed(found, "proxy", dict) if found.get("proxy") else None
    return {
        **found,
        "service": _text(found, "service"),
        "host": _maybe(found, "host"),
        "name": _maybe(found, "name"),
        "proxy": way and {key: _text(way, key) for key in ("url", "state")},
        "addresses": [_read_row(row) for row in _items(found, "addresses", dict)],
    }


def _read_row(row: Mapping[str, Any]) -> dict[str, Any]:
    connect_s = row.get("connect_s")
    return {
        **row,
        **{key: _text(row, key) for key in ("address", "tcp")},
        **{key: _maybe(row, key) for key in ("scope", "tls", "error")},
        "connect_s": connect_s if connect_s is None else _number(row, "connect_s"),
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "code": cause.code,
        "status": cause.status,
        "summary": cause.summary,
        "evidence": list(cause.evidence),
        "remedy": list(cause.remedy),
        "services": list(cause.services),
        "reason": cause.reason,
        "doc": cause.doc,
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "id": result.id,
        "status": result.status,
        "reason": result.reason,
        "summary": result.summary,
        "target": result.target,
        "facts": dict(result.facts),
        "caused_by": result.caused_by,
        "started": result.started,
        "duration_s": result.duration_s,
        "phases": dict(result.phases),
    }
