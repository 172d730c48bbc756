"""A round every interval: journal, state files, optional HTTP status port."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from agentcheck.output import add_config_flag, read_settings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck daemon`."""
    add_config_flag(parser)


def call(arguments: argparse.Namespace) -> int:
    """Runs until SIGTERM or SIGINT; as a process that holds no more than it needs."""
    settings = read_settings(arguments)
    from agentcheck.daemon.child import is_single_file, program

    if not is_single_file():
        config = [os.path.abspath(arguments.config)] if arguments.config else []
        # Python looks for modules in the working directory first, which may be anybody's.
        os.chdir("/")
        for number in (signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)  # until it is there to take them
        os.execv(sys.executable, [*program("agentcheck.daemon"), *config])
    from agentcheck.daemon.loop import Daemon

    Daemon(settings, lambda: read_settings(arguments)).run()
    return 0
