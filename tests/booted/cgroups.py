"""The control groups that a machine gets for itself, and who is in them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

_MOUNTED = Path("/sys/fs/cgroup")


def roots() -> list[Path]:
    """Where systemd keeps its groups: the one hierarchy, or with the old ones two."""
    if (_MOUNTED / "cgroup.procs").exists():
        return [_MOUNTED]
    both = (_MOUNTED / name for name in ("systemd", "unified"))
    return [path for path in both if (path / "cgroup.procs").exists()]


def folders(name: str) -> list[Path]:
    return [root / name for root in roots()]


def processes(name: str) -> Iterator[int]:
    """All that are in the groups of a machine, by our process ids."""
    for folder in folders(name):
        for path, _, files in os.walk(folder):
            if "cgroup.procs" in files:
                try:
                    yield from map(int, Path(path, "cgroup.procs").read_text().split())
                except OSError:
                    continue


def ids(process: int) -> list[int]:
    """The ids of a process in its process namespaces, from ours to its own."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return []
    return [int(one) for one in status.partition("NSpid:")[2].partition("\n")[0].split()]


def remove(name: str) -> bool:
    """Removes the groups once they are empty; says whether they are gone."""
    for folder in folders(name):
        for path, _, _ in os.walk(folder, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                continue
    return not any(folder.exists() for folder in folders(name))


def removed(name: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not remove(name):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
