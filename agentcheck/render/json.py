"""The report as one JSON object; its shape is `report.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agentcheck.model import SCHEMA, Cause, Note, Report, Result


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

    Raises ValueError for anything that is not one.
    """
    try:
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']!r} is not {SCHEMA}")
        return Report(
            **{key: document[key] for key in _PLAIN},
            verdict=_read_cause(document["verdict"]),
            causes=tuple(_read_cause(cause) for cause in document["causes"]),
            notes=tuple(Note(note["code"], note["text"]) for note in document["notes"]),
            checks=tuple(_read_result(result) for result in document["checks"]),
            instance=dict(document["instance"]),
            agent=dict(document["agent"]),
            endpoints=tuple(dict(endpoint) for endpoint in document["endpoints"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a report ({type(error).__name__} {error})") from None


_PLAIN = (
    "agentcheck_version",
    "run_id",
    "started",
    "duration_s",
    "trigger",
    "profile",
    "complete",
)


def _read_cause(found: Mapping[str, Any]) -> Cause:
    return Cause(**{key: value for key, value in found.items() if key != "doc"})


def _read_result(found: Mapping[str, Any]) -> Result:
    return Result(**found)


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
