"""The command line: parsing, wiring, and the only place that prints and exits.

Each verb imports what it needs by itself, so that `explain` does not load a network library.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Optional

from agentcheck import __version__
from agentcheck.model import (
    EXIT_INTERRUPTED,
    EXIT_STATUS,
    EXIT_USAGE,
    OK,
    UNKNOWN,
    WARN,
    AgentcheckError,
    Report,
    UsageError,
)

if TYPE_CHECKING:
    from agentcheck.checks import Check
    from agentcheck.settings import Settings

# Between rounds of --wait; short enough to be prompt, long enough to be no load.
WAIT_PAUSE = 5.0


class _Parser(argparse.ArgumentParser):
    """argparse that reports by exception: one line on stderr and exit 64, nothing on stdout."""

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
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Parser)

    run = _verb(verbs, "run", _run, "one round of checks on this instance")
    run.add_argument("--format", choices=("text", "json"), default="text")
    run.add_argument("--output", metavar="FILE", help="write the report there, atomically")
    run.add_argument("--only", metavar="ID,...", action="append", help="only these checks (tcp.*)")
    run.add_argument("--skip", metavar="ID,...", action="append", help="not these checks")
    run.add_argument("--profile", choices=("instance",), default="instance")
    run.add_argument("--wait", metavar="DURATION", help="repeat until ok or the time is up")
    run.add_argument("--fail-on", choices=("warn", "fail"), default="warn")
    run.add_argument("--trigger", choices=("manual", "boot", "timer", "signal"), default="manual")
    run.add_argument("--verbose", action="store_true", help="say on stderr what is going on")
    _config_flag(run)

    explain = _verb(verbs, "explain", _explain, "what a verdict code means and how to fix it")
    explain.add_argument("code", nargs="?", metavar="CODE")
    explain.add_argument("--format", choices=("text", "json"), default="text")

    listing = _verb(verbs, "list", _list, "the checks and what each needs")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    _config_flag(listing)

    config = _verb(verbs, "config", _config, "the effective settings and where each came from")
    config.add_argument("--format", choices=("text", "json"), default="text")
    config.add_argument("--check", action="store_true", help="only validate")
    _config_flag(config)
    return parser


def _verb(verbs: Any, name: str, call: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=text, description=text, allow_abbrev=False
    )
    parser.set_defaults(call=call)
    return parser


def _config_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="in place of the file and its drop-ins"
    )


def main(argv: Optional[Sequence[str]] = None) -> NoReturn:
    """Runs a command and ends the process with its documented status."""
    status = EXIT_STATUS[UNKNOWN]
    try:
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        arguments = _parser().parse_args(argv)
        status = arguments.call(arguments)
    except AgentcheckError as error:
        status = error.exit_status
        _complain(str(error))
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
        _complain("interrupted")
    except BrokenPipeError:
        # The reader has gone (`| head`): nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except SystemExit as end:  # argparse: --help and --version
        status = end.code if isinstance(end.code, int) else EXIT_USAGE
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user
        _complain(f"internal error ({type(error).__name__}); please report it with the command")
    _leave(status)


def _leave(status: int) -> NoReturn:
    """Ends without waiting for threads: one may be stuck in getaddrinfo."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or EXIT_STATUS[UNKNOWN]
    os._exit(status)


def _complain(text: str) -> None:
    try:
        print(f"agentcheck: {' '.join(text.split())}", file=sys.stderr)
    except OSError:
        pass


def _emit(text: str) -> None:
    """To stdout; what its encoding lacks is escaped, never an error."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdout.write(text)
    sys.stdout.flush()


def _settings(arguments: argparse.Namespace) -> Settings:
    from agentcheck import settings

    return settings.load(arguments.config, os.environ)


# --- run


def _run(arguments: argparse.Namespace) -> int:
    from agentcheck import checks
    from agentcheck.settings import parse_duration

    settings = _settings(arguments)
    wait = None
    if arguments.wait is not None:
        try:
            wait = parse_duration(arguments.wait)
        except ValueError:
            raise UsageError(
                f"--wait {arguments.wait}: not a duration; allowed: such as 90s, 5m, 1h"
            ) from None
    configured = settings["endpoints", "required"] + settings["endpoints", "optional"]
    found = checks.discover(configured)
    found = tuple(c for c in found if arguments.profile in c.profiles)
    chosen = _choose(found, arguments.only, arguments.skip)
    report, interrupted = _rounds(arguments, settings, found, chosen, wait)
    if interrupted and arguments.format != "json":
        raise KeyboardInterrupt
    if arguments.output:
        _write(arguments.output, _rendered(report, arguments.format, terminal=False))
    else:
        _emit(_rendered(report, arguments.format, sys.stdout.isatty()))
    if interrupted:
        raise KeyboardInterrupt
    if report.status == WARN and arguments.fail_on == "fail":
        return EXIT_STATUS[OK]
    return EXIT_STATUS[report.status]


def _rounds(
    arguments: argparse.Namespace,
    settings: Settings,
    found: Sequence[Check],
    chosen: Optional[frozenset[str]],
    wait: Optional[float],
) -> tuple[Report, bool]:
    """One round, or rounds until ok or `wait` seconds are over; and whether it was interrupted.

    From here on a report is owed, whatever happens: an interruption ends the round early and is
    reported, not thrown.
    """
    from agentcheck import report
    from agentcheck.facts import RoundFacts

    interruption = _Interruption()
    end = time.monotonic() + (wait or 0.0)
    while True:
        made = report.make(
            RoundFacts(settings),
            found,
            chosen,
            settings["run", "deadline"],
            arguments.trigger,
            arguments.profile,
            interruption.happened,
        )
        left = end - time.monotonic()
        if arguments.verbose or (wait is not None and made.status != OK and left > 0):
            _complain(f"{made.status} {made.verdict.code}: {made.verdict.summary}")
        if interruption.happened() or made.status == OK or left <= 0:
            return made, interruption.happened()
        interruption.pause(min(WAIT_PAUSE, left))


class _Interruption:
    """SIGINT and SIGTERM as a flag: the first ends the round, the second the process."""

    def __init__(self) -> None:
        self._happened = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: object) -> None:
        if self._happened:
            os._exit(EXIT_INTERRUPTED)
        self._happened = True

    def happened(self) -> bool:
        return self._happened

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._happened and time.monotonic() < end:
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))


def _choose(
    found: Sequence[Check], only: Optional[Sequence[str]], skip: Optional[Sequence[str]]
) -> Optional[frozenset[str]]:
    """Ids asked for by shell patterns; None for all. An unmatched pattern is a UsageError."""
    if not only and not skip:
        return None
    ids = [check.id for check in found]
    chosen = set(_matching(ids, only)) if only else set(ids)
    chosen -= set(_matching(ids, skip or ()))
    if not chosen:
        raise UsageError("--only and --skip leave no check; see agentcheck list")
    return frozenset(chosen)


def _matching(ids: Sequence[str], options: Sequence[str]) -> list[str]:
    matched = []
    for pattern in (p.strip() for option in options for p in option.split(",")):
        found = fnmatch.filter(ids, pattern)
        if not found:
            raise UsageError(
                f"unknown check {pattern!r}; allowed: {', '.join(ids)} and patterns such as tcp.*"
            )
        matched += found
    return matched


def _rendered(report: Report, name: str, terminal: bool) -> str:
    from agentcheck.render import FORMATS, text

    # no-color.org: present and not empty, whatever its value.
    if name == "text" and terminal and not os.environ.get("NO_COLOR"):
        return text.render_in_colour(report)
    return FORMATS[name](report)


def _write(path: str, text: str) -> None:
    """Writes the whole file or none of it. On failure the report goes to stdout instead."""
    folder, name = os.path.split(os.path.abspath(path))
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            try:
                os.unlink(temporary)
            except OSError:
                pass
        _emit(text)
        raise AgentcheckError(
            f"{path}: {error.strerror}; the report was printed instead, name a writable place"
        ) from None


# --- explain, list, config


def _explain(arguments: argparse.Namespace) -> int:
    from agentcheck.diagnosis import ROWS

    if arguments.code is None:
        if arguments.format == "json":
            _emit_json([_explained(code) for code in ROWS])
        else:
            _emit("".join(f"{code:<26} {_first(ROWS[code].explain.meaning)}\n" for code in ROWS))
        return 0
    if arguments.code not in ROWS:
        raise UsageError(f"unknown code {arguments.code!r}; allowed: {', '.join(ROWS)}")
    document = _explained(arguments.code)
    if arguments.format == "json":
        _emit_json(document)
    else:
        _emit(_explain_text(document))
    return 0


def _first(text: str) -> str:
    return text.split(". ")[0].rstrip(".")


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
    import textwrap

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


def _list(arguments: argparse.Namespace) -> int:
    from agentcheck import checks

    settings = _settings(arguments)
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
        _emit_json(rows)
        return 0
    width = max(len(str(row["id"])) for row in rows)
    for row in rows:
        needs = ", ".join(row["requires"]) or "nothing"
        _emit(
            f"{row['id']:<{width}}  {row['question']}\n"
            f"{'':<{width}}  needs {needs}; profile {', '.join(row['profiles'])}\n"
        )
    return 0


def _config(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
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
        _emit_json(rows)
        return 0
    section = ""
    for row in rows:
        if row["section"] != section:
            section = row["section"]
            _emit(f"[{section}]\n")
        _emit(f"{row['key']} = {row['value']}".ljust(48) + f"  # {row['origin']}\n")
    return 0


def _emit_json(value: Any) -> None:
    import json

    _emit(json.dumps(value, indent=2) + "\n")
