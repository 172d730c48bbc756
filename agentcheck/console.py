"""The console of the machine: the one window left when nobody can log in."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Mapping
from pathlib import Path

CONSOLE = Path("/dev/console")
SERIAL = Path("/dev/ttyS0")
COMMAND_LINE = Path("/proc/cmdline")
# The text goes out in 0.2 s at 115200 baud, behind what else waits in the line's buffer (4 KiB).
# Longer waits only who is held up for good, by flow control.
PATIENCE_S = 2.0


def write(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Writes the lines; True when some device, or systemd for us, took them all. Never raises.

    As a service stdout goes to the journal and, by StandardOutput=journal+console, to /dev/console,
    which only root may open. Whose stdout is for something else gives an empty `environ`.
    """
    took = False
    for path in _devices():
        took = _write_to(path, text) or took
    if not took and "JOURNAL_STREAM" in environ and sys.stdout is not None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
            took = True
        except (OSError, ValueError):
            pass
    return took


def _devices() -> list[Path]:
    """/dev/console, and ttyS0 where the kernel writes there too and /dev/console is another.

    The last console= of the command line is /dev/console (kernel, serial-console.rst).
    """
    devices = [CONSOLE]
    try:
        words = COMMAND_LINE.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return devices
    consoles = [word[8:].split(",")[0] for word in words if word.startswith("console=")]
    if "ttyS0" in consoles and consoles[-1] != "ttyS0":
        devices.append(SERIAL)
    return devices


def _write_to(path: Path, text: str) -> bool:
    """Without waiting for ever: nobody may be at the other end of a serial line."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        raw = text.encode("ascii", "replace")
        if not _ends_lines_itself(descriptor):
            raw = raw.replace(b"\n", b"\r\n")
        return _write_all(descriptor, raw)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, raw: bytes) -> bool:
    """A busy line takes a part of it, or nothing at first; SUMMARY comes last."""
    end = time.monotonic() + PATIENCE_S
    while raw:
        try:
            raw = raw[os.write(descriptor, raw) :]
        except BlockingIOError:
            left = end - time.monotonic()
            if left <= 0:
                return False
            select.select([], [descriptor], [], left)
    return True


def _ends_lines_itself(descriptor: int) -> bool:
    """Whether the terminal makes CR LF of a line feed: two CRs read as an empty line between."""
    import termios

    try:
        flags: int = termios.tcgetattr(descriptor)[1]
    except termios.error:
        return False
    return bool(flags & termios.OPOST and flags & termios.ONLCR)
