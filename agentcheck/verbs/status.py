"""The daemon's last report with its age; nothing is probed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from agentcheck.model import EXIT_STATUS, UNKNOWN, AgentcheckError, printable
from agentcheck.output import add_config_flag, add_format_flag, emit, emit_json, read_settings

# Where a report does not say how long it is good for.
GOOD_FOR_S = 900.0
# Beyond this no setting leads (settings.parse_duration: two intervals of 30 days, and more).
LONGEST_S = 90 * 86400.0


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
    age = state.age(folder, document)
    stale = age > _good_for(document.get("stale_after_s"))
    if arguments.format == "json":
        emit_json({**document, "age_s": round(age, 1), "stale": stale})
    else:
        since = printable(str(document.get("confirmed_since") or ""))
        confirmed = printable(str(document.get("confirmed_status", report.status)))
        head = f"{span(age)} old" + (", STALE: the daemon has stopped or hangs" if stale else "")
        emit(printable(f"{head}; confirmed: {confirmed}{f' since {since}' if since else ''}"))
        emit(f"\n\n{text.render(report)}")
    return EXIT_STATUS[UNKNOWN] if stale else EXIT_STATUS[report.status]


def _good_for(found: Any) -> float:
    """Seconds; what is no duration, not a number or infinite, would never be over."""
    known = isinstance(found, (int, float)) and 0 <= found <= LONGEST_S
    return float(found) if known else GOOD_FOR_S
