"""Whether the agent can still write where it must."""

from __future__ import annotations

import os
from pathlib import Path

from agentcheck.observations import Volume
from agentcheck.probes.parallel import side_by_side

# State, logs, and the temporary files of the documents that it runs (agent source,
# agent/appconfig/constants_unix.go).
PLACES = ("/var/lib/amazon/ssm", "/var/log/amazon/ssm", "/tmp")
# A network file system that hangs must not hold the round.
TIMEOUT = 1.5


def probe() -> tuple[Volume, ...]:
    """One for each place; a place whose file system does not answer says so. Never raises."""
    found = side_by_side(_look, PLACES, "disk", TIMEOUT)
    return tuple(
        volume or Volume(place, error=f"the file system does not answer within {TIMEOUT:g} s")
        for place, volume in zip(PLACES, found)
    )


def _look(place: str) -> Volume:
    """The file system at the place, or where the place would be made."""
    path = Path(place)
    try:
        while not path.exists() and path != path.parent:
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
        read_only=bool(seen.f_flag & os.ST_RDONLY),
    )
