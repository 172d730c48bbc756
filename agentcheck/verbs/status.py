"""The daemon's last report with its age; nothing is probed."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from agentcheck.model import EXIT_STATUS, UNKNOWN, AgentcheckError, printable
from agentcheck.output import add_config_flag, add_format_flag, emit, emit_json, read_settings

# Where a report does not say how long it is good for.
GOOD_FOR_S = 900.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck status`."""
    add_format_flag(parser)
    add_config_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Prints it; the status is the report's, or 3 when there is none or it is too old."""
    from agentcheck.daemon import state
    from agentcheck.render import json, text
    from agentcheck.verbs.history import span

    folder = Path(read_settings(arguments)["state", "run_dir"])
    document = state.read_report(folder)
    try:
        report = json.read(document or {})
    except ValueError:
        raise AgentcheckError(
            f"{folder / state.REPORT}: no report; is the daemon running? systemctl status"
            " agentcheck, or run a round by hand: agentcheck run"
        ) from None
    assert document is not None
    age = _age(folder / state.REPORT)
    stale = age > _number(document.get("stale_after_s"), GOOD_FOR_S)
    if arguments.format == "json":
        emit_json({**document, "age_s": round(age, 1), "stale": stale})
    else:
        since = document.get("confirmed_since")
        confirmed = document.get("confirmed_status", report.status)
        head = f"{span(age)} old" + (", STALE: the daemon has stopped or hangs" if stale else "")
        emit(printable(f"{head}; confirmed: {confirmed}{f' since {since}' if since else ''}"))
        emit(f"\n\n{text.render(report)}")
    return EXIT_STATUS[UNKNOWN] if stale else EXIT_STATUS[report.status]


def _age(path: Path) -> float:
    """Seconds since the file was written."""
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return 0.0


def _number(found: Any, otherwise: float) -> float:
    return float(found) if isinstance(found, (int, float)) else otherwise
