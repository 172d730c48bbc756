"""The console of the machine: the one window left when nobody can log in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

CONSOLE = Path("/dev/console")
SERIAL = Path("/dev/ttyS0")
COMMAND_LINE = Path("/proc/cmdline")


def write(text: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Writes the lines; True when some device, or systemd for us, took them. Never raises.

    As a service stdout goes to the journal and, by StandardOutput=journal+console, to /dev/console,
    which only root may open.
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
    """Without waiting: nobody may be at the other end of a serial line."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        with open(descriptor, "wb", buffering=0) as device:
            device.write(text.replace("\n", "\r\n").encode("ascii", "replace"))
        return True
    except OSError:
        return False
