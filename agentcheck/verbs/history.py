"""When the confirmed status or verdict changed, newest first."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from agentcheck.model import HistoryEntry
from agentcheck.output import add_config_flag, add_format_flag, emit, emit_json, read_settings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck history`."""
    add_format_flag(parser)
    add_config_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Prints the entries."""
    from agentcheck.daemon import state

    settings = read_settings(arguments)
    found = state.read_history(
        Path(settings["state", "state_dir"]), settings["state", "history_max"]
    )
    entries = list(reversed(found))
    if arguments.format == "json":
        emit_json([asdict(entry) for entry in entries])
    else:
        emit(rendered(entries, time.time()))
    return 0


def rendered(entries: Sequence[HistoryEntry], now: float) -> str:
    """`fail endpoint-blocked (ssm) since 2026-11-25 02:14 UTC, for 3 h`, a line an entry."""
    if not entries:
        return "nothing was confirmed yet; the daemon's first rounds write the first entry\n"
    lines = []
    until = now
    for index, entry in enumerate(entries):
        begun = epoch(entry.time)
        services = f" ({', '.join(entry.services)})" if entry.services else ""
        when = f"{entry.time[:10]} {entry.time[11:16]} UTC"
        words = "since" if index == 0 else "from"
        lines.append(
            f"{entry.status} {entry.verdict}{services} {words} {when},"
            f" for {span(max(0.0, until - begun))}\n"
        )
        until = begun
    return "".join(lines)


def epoch(text: str) -> float:
    """Epoch seconds of an entry's time; 0 for any other text."""
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return 0.0
    return found.replace(tzinfo=timezone.utc).timestamp()


def span(seconds: float) -> str:
    """A duration as people say it: `42 s`, `12 min`, `3 h`, `12 d`."""
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} s"
