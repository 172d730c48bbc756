"""Can the agent write its state and logs?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, FAIL, OK
from agentcheck.observations import Facts

ID = "disk"
REQUIRES = ()
PROFILES = ("instance", "image")


def check(facts: Facts) -> Finding:
    """Free bytes and inodes as root sees them, and whether the file system is read-only."""
    volumes = facts.disk()
    full = [volume for volume in volumes if volume.trouble]
    seen = {volume.place: volume.trouble or volume.error or "ok" for volume in volumes}
    if full:
        text = "; ".join(f"{volume.place}: {volume.trouble}" for volume in full)
        return Finding(FAIL, text, full[0].trouble, full[0].place, seen)
    silent = [volume for volume in volumes if volume.error]
    if silent:
        text = "; ".join(f"{volume.place}: {volume.error}" for volume in silent)
        return Finding(ERROR, text, "unreadable", silent[0].place, seen)
    return Finding(OK, "there is room for state, logs and temporary files", facts=seen)
