"""A round every interval: journal, state files, optional HTTP status port."""

from __future__ import annotations

import argparse
import os
import sys

from agentcheck.output import add_config_flag, read_settings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck daemon`."""
    add_config_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Runs until SIGTERM or SIGINT; as a process that holds no more than it needs."""
    settings = read_settings(arguments)
    from agentcheck.daemon.child import program

    command = program()
    if command[-1] == "agentcheck":  # as a module, not as a single file
        config = [str(arguments.config)] if arguments.config else []
        os.execv(sys.executable, [sys.executable, "-m", "agentcheck.daemon", *config])
    from agentcheck.daemon.loop import Daemon

    Daemon(settings, lambda: read_settings(arguments)).run()
    return 0
