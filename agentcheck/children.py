"""The programs that a round starts: they get none of its rights, and none outlives it."""

from __future__ import annotations

import os
import time

import psutil

# prctl(2), for which Python has no function; numbers from <linux/prctl.h>.
_SET_CHILD_SUBREAPER = 36
_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL = 47, 4
# Who was killed ends at once, unless a broken disk holds it: that must not hold us.
PATIENCE_S = 0.5


def tame() -> bool:
    """Before the first thread is made, which then has the same; whether `end_all` may be called.

    Not where this process already has children, by exec in a script: they are not the round's.

    The service holds its rights as ambient ones, which every program that it runs would have too
    (capabilities(7)); we keep ours. And whose parent ends becomes our child, whatever session it
    made for itself. Where the kernel or Python has no such thing, both stay as they are.
    """
    alone = not _any_left()
    try:
        from ctypes import CDLL, c_ulong

        prctl, zero = CDLL(None).prctl, c_ulong(0)
    except (ImportError, AttributeError, OSError, MemoryError):
        return alone
    prctl(_CAP_AMBIENT, c_ulong(_CAP_AMBIENT_CLEAR_ALL), zero, zero, zero)
    if alone:
        prctl(_SET_CHILD_SUBREAPER, c_ulong(1), zero, zero, zero)
    return alone


def end_all() -> None:
    """Ends what is left of them; costs nothing where nothing is."""
    end = time.monotonic() + PATIENCE_S
    while _any_left() and time.monotonic() < end:
        try:
            for child in psutil.Process().children(recursive=True):
                child.kill()
        except psutil.Error:
            pass  # it ended meanwhile, or is no longer ours to kill
        time.sleep(0.005)


def _any_left() -> bool:
    """Collects those that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
