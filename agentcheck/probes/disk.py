"""Whether the agent can still write where it must."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from agentcheck.observations import Volume
from agentcheck.probes.parallel import side_by_side

# State, logs, and the temporary files of the documents that it runs (agent source,
# agent/appconfig/constants_unix.go).
PLACES = ("/var/lib/amazon/ssm", "/var/log/amazon/ssm", "/tmp")
# A network file system that hangs must not hold the round.
TIMEOUT = 1.5
# What process 1 sees, and with it the agent: a service's own view is made read-only by systemd
# (ProtectSystem=) and has another /tmp. Leads there only with CAP_SYS_PTRACE (proc(5)).
HOST = Path("/proc/1/root")


def probe() -> tuple[Volume, ...]:
    """One for each place; a place whose file system does not answer says so. Never raises."""
    root, ours = (HOST, False) if os.path.isdir(HOST) else (Path("/"), not _in_hosts_view())
    found = side_by_side(partial(_look, root, ours), PLACES, "disk", TIMEOUT)
    return tuple(
        volume or Volume(place, error=f"the file system does not answer within {TIMEOUT:g} s")
        for place, volume in zip(PLACES, found)
    )


def _in_hosts_view() -> bool:
    """Whether what we see is what process 1 sees."""
    try:
        return os.readlink("/proc/self/ns/mnt") == os.readlink("/proc/1/ns/mnt")
    except OSError:
        return os.environ.get("INVOCATION_ID") is None  # set for services of systemd only


def _look(root: Path, sandboxed: bool, place: str) -> Volume:
    """The file system at the place, or where the place would be made."""
    path = root / place.lstrip("/")
    try:
        while not path.exists() and path != root:
            path = path.parent
        seen = os.statvfs(path)
    except OSError as error:
        return Volume(place, error=error.strerror or type(error).__name__)
    return Volume(
        place,
        # f_bfree, not f_bavail: the agent is root and may use what is reserved for it.
        bytes_free=seen.f_bfree * seen.f_frsize,
        # Some file systems (btrfs) do not count inodes: then there are 0 of 0.
        inodes_free=seen.f_ffree if seen.f_files else None,
        # In a sandbox of our own it would say nothing of the host.
        read_only=bool(seen.f_flag & os.ST_RDONLY) and not sandboxed,
    )
