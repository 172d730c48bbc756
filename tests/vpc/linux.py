"""The system calls that Python (before 3.12) has no function for."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_RDONLY, _REMOUNT, _BIND, _REC, _PRIVATE, _RELATIME = 1, 32, 4096, 16384, 1 << 18, 1 << 21
# What a mount in another user's namespace may not lose: flags as statvfs and as mount spell them.
_LOCKED = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: _RELATIME}
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def return_to_own_pid_namespace() -> None:
    """After unshare(CLONE_NEWPID) and the fork it was for: later children stay in ours."""
    with open("/proc/self/ns/pid", "rb") as own:
        _check(_libc.setns(own.fileno(), CLONE_NEWPID), "setns")


@contextlib.contextmanager
def in_network_of(process: int) -> Iterator[None]:
    """What this thread opens inside is in the network namespace of another process."""
    with open("/proc/thread-self/ns/net", "rb") as own, open(f"/proc/{process}/ns/net", "rb") as it:
        _check(_libc.setns(it.fileno(), CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            _check(_libc.setns(own.fileno(), CLONE_NEWNET), "setns")


def mount(source: str, target: Path, kind: str, options: str = "", flags: int = 0) -> None:
    target.mkdir(parents=True, exist_ok=True)
    _mount(source, target, kind, flags, options)


def bind(source: Path, target: Path, read_only: bool = True) -> None:
    """Makes a file or folder visible at another place too."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.touch()
    _mount(str(source), target, "", _BIND | _REC, "")
    if read_only:
        held = os.statvfs(target).f_flag
        flags = sum(mount for statvfs, mount in _LOCKED.items() if held & statvfs)
        _mount("", target, "", _REMOUNT | _BIND | _RDONLY | flags, "")


def keep_mounts_private() -> None:
    """What this mount namespace mounts from now on shows nowhere else, and the other way round."""
    root = os.open("/", os.O_PATH | os.O_DIRECTORY)
    _leave_chroot()
    _mount("", Path("/"), "", _REC | _PRIVATE, "")
    os.fchdir(root)
    os.close(root)
    os.chroot(".")


def _leave_chroot() -> None:
    """Entering one's own mount namespace leads to its root. In a chroot one can neither pivot nor
    say how mounts propagate."""
    with open("/proc/self/ns/mnt", "rb") as own:
        _check(_libc.setns(own.fileno(), CLONE_NEWNS), "setns")


def enter_root(root: Path) -> None:
    """Makes a mounted folder the root; nothing of the old one stays reachable."""
    new = os.open(root, os.O_PATH | os.O_DIRECTORY)
    _leave_chroot()
    os.fchdir(new)
    os.close(new)
    pivot = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
    # "." twice: the old root is stacked on the new one and then taken off.
    _check(_libc.syscall(pivot, b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount")
    os.chdir("/")


def _mount(source: str, target: Path, kind: str, flags: int, options: str) -> None:
    texts = [text.encode() for text in (source, str(target), kind, options)]
    _check(_libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), str(target))
