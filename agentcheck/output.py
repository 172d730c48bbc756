"""What all verbs print with, and the flags they share. Only verbs and the cli print."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from agentcheck.model import OutputError, printable
from agentcheck.settings import Settings, load


def emit(text: str) -> None:
    """To stdout; what its encoding lacks is escaped, never an error.

    Raises OutputError when stdout takes nothing (closed, a full disk). When its reader has gone
    (`| head`) nobody is left to be told, and the rest goes nowhere.
    """
    if sys.stdout is None:  # Python's way to say that it was closed before the start
        raise OutputError("stdout is closed; redirect it, or name a file with --output")
    try:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        raise OutputError(f"stdout: {error.strerror}; redirect it to a writable place") from None


def emit_json(value: Any) -> None:
    """Any value as indented JSON."""
    emit(json.dumps(value, indent=2) + "\n")


def complain(text: str) -> None:
    """One line on stderr."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"agentcheck: {printable(' '.join(text.split()))}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def add_config_flag(parser: argparse.ArgumentParser) -> None:
    """`--config FILE`."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="in place of the file and its drop-ins"
    )


def add_format_flag(parser: argparse.ArgumentParser) -> None:
    """`--format` of the verbs that print tables."""
    parser.add_argument("--format", choices=("text", "json"), default="text")


def read_settings(arguments: argparse.Namespace) -> Settings:
    """The effective settings for a verb with `--config`."""
    return load(arguments.config, os.environ)
