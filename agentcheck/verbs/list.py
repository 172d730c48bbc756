"""The checks and what each needs."""

from __future__ import annotations

import argparse

from agentcheck.output import add_config_flag, add_format_flag, emit, emit_json, read_settings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck list`."""
    add_format_flag(parser)
    add_config_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Prints the checks in the order in which they run."""
    from agentcheck import checks

    settings = read_settings(arguments)
    configured = settings["endpoints", "required"] + settings["endpoints", "optional"]
    rows = [
        {
            "id": check.id,
            "question": check.question,
            "requires": list(check.requires),
            "profiles": list(check.profiles),
        }
        for check in checks.discover(configured)
    ]
    if arguments.format == "json":
        emit_json(rows)
        return 0
    width = max(len(str(row["id"])) for row in rows)
    for row in rows:
        needs = ", ".join(row["requires"]) or "nothing"
        emit(
            f"{row['id']:<{width}}  {row['question']}\n"
            f"{'':<{width}}  needs {needs}; profile {', '.join(row['profiles'])}\n"
        )
    return 0
