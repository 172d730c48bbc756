"""One round of checks on this instance."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

from agentcheck.kinds import parse_duration
from agentcheck.model import (
    EXIT_INTERRUPTED,
    EXIT_STATUS,
    OK,
    WARN,
    Report,
    UsageError,
)
from agentcheck.output import add_config_flag, complain, emit, read_settings
from agentcheck.render import FORMATS, renderer
from agentcheck.settings import Settings

if TYPE_CHECKING:
    from agentcheck.checks import Check

# Between rounds of --wait; short enough to be prompt, long enough to be no load.
WAIT_PAUSE = 5.0
# The signed call, an event in CloudTrail, is not made anew in each of them.
ASK_AGAIN = 60.0


def add_flags(run: argparse.ArgumentParser) -> None:
    """The flags of `agentcheck run`."""
    run.add_argument("--format", choices=FORMATS, default="text")
    run.add_argument("--output", metavar="FILE", help="write the report there, atomically")
    run.add_argument("--only", metavar="ID,...", action="append", help="only these checks (tcp.*)")
    run.add_argument("--skip", metavar="ID,...", action="append", help="not these checks")
    run.add_argument("--profile", choices=("instance", "image"), default="instance")
    run.add_argument("--wait", metavar="DURATION", help="repeat until ok or the time is up")
    run.add_argument("--fail-on", choices=("warn", "fail"), default="warn")
    run.add_argument("--trigger", choices=("manual", "boot", "timer", "signal"), default="manual")
    run.add_argument("--console", action="store_true", help="write the verdict to the console too")
    run.add_argument("--verbose", action="store_true", help="say on stderr what is going on")
    add_config_flag(run)


def call(arguments: argparse.Namespace) -> int:
    """Runs, prints or writes the report; the status is the report's."""
    from agentcheck import checks, report_file

    settings = read_settings(arguments)
    wait = None
    if arguments.wait is not None:
        try:
            wait = parse_duration(arguments.wait)
        except ValueError:
            raise UsageError(
                f"--wait {arguments.wait}: not a duration; allowed: such as 90s, 5m, 1h"
            ) from None
    if arguments.output:
        report_file.check(arguments.output)
    configured = settings["endpoints", "required"] + settings["endpoints", "optional"]
    found = checks.discover(configured)
    found = tuple(c for c in found if arguments.profile in c.profiles)
    chosen = _choose(found, arguments.only, arguments.skip)
    report, interrupted = _rounds(arguments, settings, found, chosen, wait)
    if interrupted and arguments.format != "json":
        raise KeyboardInterrupt
    if arguments.console and not interrupted:
        _show_on_console(report)
    if arguments.output:
        report_file.write(arguments.output, _rendered(report, arguments.format, terminal=False))
    else:
        emit(_rendered(report, arguments.format, sys.stdout is not None and sys.stdout.isatty()))
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
    import resource  # which is not everywhere that `read-console` runs

    from agentcheck import children, report
    from agentcheck.facts import RoundFacts

    alone = children.tame()
    # A round holds the role's credentials for seconds: no crash is to write them to a disk.
    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it, and sees to it then
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    interruption = _Interruption()
    end = time.monotonic() + (wait or 0.0)
    said = None
    answered, asked_at = None, 0.0
    while True:
        if time.monotonic() - asked_at > ASK_AGAIN:
            answered, asked_at = None, time.monotonic()
        facts = RoundFacts(
            settings,
            signed_call=_signed_call(settings, arguments.trigger),
            profile=arguments.profile,
            answered=answered,
        )
        made = report.make(
            facts,
            found,
            chosen,
            settings["run", "deadline"],
            arguments.trigger,
            arguments.profile,
            interruption.happened,
        )
        if alone:
            children.end_all()
        answered = facts.answered()
        left = end - time.monotonic()
        if arguments.verbose:
            complain(f"{made.status} {made.verdict.code}: {made.verdict.summary}")
        if interruption.happened() or made.status == OK or left <= 0:
            return made, interruption.happened()
        # At boot nothing is in order at first, and what it lacks next is no news. The word of the
        # status is for the report alone: nobody is to take a wait for a failure.
        if not arguments.verbose and (said is None or arguments.trigger != "boot"):
            news = (made.status, made.verdict.code)
            if news != said:
                complain(
                    f"waiting {arguments.wait} at most, not yet ok:"
                    f" {made.verdict.code}: {made.verdict.summary}"
                )
            said = news
        interruption.pause(min(WAIT_PAUSE, left))


def _signed_call(settings: Settings, trigger: str) -> str:
    """How often this round may make the signed call: each one is an event in CloudTrail."""
    wanted = str(settings["run", "signed_call"])
    if wanted != "auto":
        return wanted
    return {"timer": "rarely", "signal": "renew"}.get(trigger, "always")


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


def _show_on_console(report: Report) -> None:
    """A machine whose console takes nothing is no reason to fail."""
    from agentcheck import console
    from agentcheck.render import console as text

    # Our stdout is the report's, so a service's is no way to the console here.
    if not console.write(text.render(report), environ={}):
        complain("--console: no console took the report; it takes root to write to /dev/console")


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
        try:
            found = fnmatch.filter(ids, pattern)
        except re.error:  # before Python 3.10 [z-a] is an error, later it matches nothing
            found = []
        if not found:
            raise UsageError(
                f"unknown check {pattern!r}; allowed: {', '.join(ids)} and patterns such as tcp.*"
            )
        matched += found
    return matched


def _rendered(report: Report, name: str, terminal: bool) -> str:
    # no-color.org: present and not empty, whatever its value.
    if name == "text" and terminal and not os.environ.get("NO_COLOR"):
        from agentcheck.render import text

        return text.render_in_colour(report)
    return renderer(name)(report)
