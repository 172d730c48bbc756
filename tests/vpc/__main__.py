"""python -m tests.vpc --list | SCENARIO [ARGUMENTS OF agentcheck run | -- COMMAND ...]"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType
from typing import NoReturn, Optional

from tests.vpc import LabError, Vpc, default_command, find, scenarios

USAGE = 64
LAB_FAILURE = 70
INTERRUPTED_S = 3.0


def main(arguments: list[str]) -> int:
    if arguments == ["--list"]:
        for name, scenario in scenarios().items():
            print(f"{name:34} {scenario.summary}")
        return 0
    if not arguments or arguments[0].startswith("-"):
        print(f"usage: {__doc__}", file=sys.stderr)
        return USAGE
    try:
        scenario = find(arguments[0])
    except KeyError:
        print(f"no such scenario: {arguments[0]} (--list shows all)", file=sys.stderr)
        return USAGE
    more = arguments[1:]
    command = more[1:] if more[:1] == ["--"] else default_command(scenario, *more)
    if not command:
        command = default_command(scenario)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _end)
    try:
        with Vpc(scenario) as vpc:
            process = vpc.spawn(command, preexec_fn=_ignore_interrupts)
            try:
                code = process.wait()
            except KeyboardInterrupt:  # which the command has too, if it came from the terminal
                try:
                    code = process.wait(INTERRUPTED_S)
                except subprocess.TimeoutExpired:
                    code = -signal.SIGINT
    except LabError as error:
        print(f"tests.vpc: {error}", file=sys.stderr)
        return LAB_FAILURE
    return 128 - code if code < 0 else code


def _ignore_interrupts() -> None:
    """In nsenter, which then waits for the command; the command itself can be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(signum: int, _: Optional[FrameType]) -> NoReturn:
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
