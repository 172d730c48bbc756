"""The effective settings and where each came from."""

from __future__ import annotations

import argparse

from agentcheck.output import add_config_flag, add_format_flag, emit, emit_json, read_settings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck config`."""
    parser.add_argument("--check", action="store_true", help="only validate")
    add_format_flag(parser)
    add_config_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Prints the settings as the file would hold them."""
    settings = read_settings(arguments)
    if arguments.check:
        return 0
    rows = [
        {
            "section": effective.setting.section,
            "key": effective.setting.key,
            "value": effective.text,
            "origin": effective.origin,
        }
        for effective in settings.all()
    ]
    if arguments.format == "json":
        emit_json(rows)
        return 0
    section = ""
    for row in rows:
        if row["section"] != section:
            section = row["section"]
            emit(f"[{section}]\n")
        emit(f"{row['key']} = {row['value']}".ljust(48) + f"  # {row['origin']}\n")
    return 0
