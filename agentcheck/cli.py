"""The command line: parsing, wiring, and the only place that exits."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, Optional

from agentcheck import __version__
from agentcheck.model import (
    EXIT_INTERRUPTED,
    EXIT_STATUS,
    EXIT_USAGE,
    UNKNOWN,
    AgentcheckError,
    UsageError,
    printable,
)
from agentcheck.output import complain
from agentcheck.verbs import config, daemon, explain, history, list, read_console, run, status

VERBS = {
    "run": run,
    "daemon": daemon,
    "status": status,
    "history": history,
    "explain": explain,
    "read-console": read_console,
    "list": list,
    "config": config,
}


class _Formatter(argparse.HelpFormatter):
    """Help of a fixed width: asking for the terminal's loads modules that the daemon would keep."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class _Parser(argparse.ArgumentParser):
    """argparse that reports by exception: one line on stderr and exit 64, nothing on stdout."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Formatter, **settings)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="agentcheck",
        allow_abbrev=False,
        description="Says why Session Manager cannot reach this EC2 instance.",
        epilog="Exit status: 0 ok, 1 warn, 2 fail, 3 could not tell, 64 usage, 78 configuration, "
        "130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"agentcheck {__version__}")
    verbs = parser.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=_Parser, prog="agentcheck"
    )
    for name, verb in VERBS.items():
        text = (verb.__doc__ or "").strip().splitlines()[0]
        sub = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
        verb.add_flags(sub)
        sub.set_defaults(call=verb.call)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> NoReturn:
    """Runs a command and ends the process with its documented status."""
    status = EXIT_STATUS[UNKNOWN]
    try:
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        arguments = _parser().parse_args(argv)
        status = arguments.call(arguments)
    except AgentcheckError as error:
        status = error.exit_status
        complain(str(error))
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
        complain("interrupted")
    except SystemExit as end:  # argparse: --help and --version
        status = end.code if isinstance(end.code, int) else EXIT_USAGE
    except ImportError as error:
        what = printable(str(error))
        complain(f"a Python package is missing or does not fit: {what}; install it, see the README")
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user
        complain(f"internal error ({type(error).__name__}); please report it with the command")
    _leave(status)


def _leave(status: int) -> NoReturn:
    """Ends without waiting for threads: one may be stuck in getaddrinfo."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            status = status or EXIT_STATUS[UNKNOWN]
    os._exit(status)
