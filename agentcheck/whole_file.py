"""Writes a file at one stroke.

It goes to a file beside it that is then renamed, so that neither kill -9 nor a full disk at any
byte leaves half of one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, text: str, mode: int = 0o644, *, guessable: bool = True) -> None:
    """Replaces the file. Raises OSError, and then the old one is still there.

    In a folder that others may write to, the name beside it must not be `guessable`: they could
    hold the place. In one of our own it is `.NAME.PID`, whose leftovers are swept.
    """
    # O_EXCL follows no link.
    name = str(os.getpid()) if guessable else os.urandom(8).hex()
    temporary = path.with_name(f".{path.name}.{name}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
