"""The file of a unix socket, in a folder where others may write too."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import Optional

MODE = 0o660


def bind(made: socket.socket, path: str) -> None:
    """Binds to the path, in place of a file that nobody listens at any more. Raises OSError."""
    if identity(path) is not None:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "there is a file that is no socket")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(path) != errno.ECONNREFUSED:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        os.unlink(path)
    # bind() makes the file with this mode less the umask: at no moment is it open to others.
    os.fchmod(made.fileno(), MODE)
    made.bind(path)
    # By a descriptor: the name may lead elsewhere by now.
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise OSError(errno.EEXIST, "somebody has replaced the socket's file")
        os.chmod(f"/proc/self/fd/{descriptor}", MODE)
    finally:
        os.close(descriptor)


def identity(path: str) -> Optional[tuple[int, int]]:
    """What tells this file from another of the same name; None when there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
