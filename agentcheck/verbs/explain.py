"""What a verdict code means and how to fix it."""

from __future__ import annotations

import argparse
import textwrap

from agentcheck.model import UsageError
from agentcheck.output import add_format_flag, emit, emit_json


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck explain`."""
    parser.add_argument("code", nargs="?", metavar="CODE")
    add_format_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Prints one explanation, or the list of codes."""
    from agentcheck.diagnosis import ROWS

    if arguments.code is None:
        if arguments.format == "json":
            emit_json([_explained(code) for code in ROWS])
        else:
            emit("".join(f"{code:<26}{_first(ROWS[code].explain.meaning)}\n" for code in ROWS))
        return 0
    if arguments.code not in ROWS:
        raise UsageError(f"unknown code {arguments.code!r}; allowed: {', '.join(ROWS)}")
    document = _explained(arguments.code)
    if arguments.format == "json":
        emit_json(document)
    else:
        emit(_explain_text(document))
    return 0


def _first(text: str) -> str:
    """The first sentence, cut to what a line has left."""
    return textwrap.shorten(text.split(". ")[0].rstrip("."), 54, placeholder=" ...")


def _explained(code: str) -> dict[str, str]:
    from agentcheck.diagnosis import ROWS

    explain = ROWS[code].explain
    return {
        "code": code,
        "meaning": explain.meaning,
        "told_by": explain.told_by,
        "fix": explain.fix,
        "mistaken_for": explain.mistaken_for,
        "console": explain.console,
    }


def _explain_text(document: dict[str, str]) -> str:
    titles = {
        "meaning": "Meaning",
        "told_by": "Told by",
        "fix": "Fix",
        "mistaken_for": "Often mistaken for",
        "console": "The AWS console meanwhile",
    }
    parts = [document["code"]]
    for key, title in titles.items():
        body = textwrap.fill(
            document[key],
            80,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        parts.append(f"{title}:\n{body}")
    return "\n\n".join(parts) + "\n"
