"""`--output FILE`: a report at the place that somebody names, where others may write too."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from agentcheck import whole_file
from agentcheck.model import OutputError, UsageError
from agentcheck.output import emit

MAX_LINKS = 40  # as the kernel, path_resolution(7)


def check(path: str) -> None:
    """A place that cannot be right is a usage error, before anything is done."""
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path) or not os.path.isdir(folder):
        what = "is a folder" if os.path.isdir(path) else f"there is no folder {folder}"
        raise UsageError(f"--output {path}: {what}; allowed: a file in a folder that exists")


def write(path: str, text: str) -> None:
    """Writes the whole file or none of it. On failure the report goes to stdout instead."""
    try:
        # Links are followed, and only a regular file is ever replaced: never a device or a pipe.
        target = _target(path)
        if os.path.exists(target) and not os.path.isfile(target):
            _write_through(target, text)
        else:
            whole_file.write(Path(target), text, guessable=False)
    except OSError as error:
        emit(text)
        raise OutputError(
            f"{path}: {error.strerror}; the report was printed instead, name a writable place"
        ) from None


def _target(path: str) -> str:
    """Where the links lead, of folders too, that root or we have made.

    Anybody could lay one of that name in /tmp, to have root write in a place of theirs to choose.
    """
    done, ahead, links = "/", _parts(os.path.join(os.getcwd(), path)), 0
    while ahead:
        name = ahead.pop()
        place = os.path.join(done, name) if name != ".." else os.path.dirname(done)
        if not os.path.islink(place):
            done = place
            continue
        if os.lstat(place).st_uid not in (0, os.geteuid()):
            raise PermissionError(errno.EACCES, "a link of another user")
        links += 1
        if links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        leads = os.readlink(place)
        done = "/" if leads.startswith("/") else done
        ahead += _parts(leads)
    return done


def _parts(path: str) -> list[str]:
    """The last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _write_through(target: str, text: str) -> None:
    """Into a device or pipe. Without blocking: a pipe may have no reader."""
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(target, flags), "wb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EEXIST, "somebody has replaced it")
        file.write(text.encode())
