"""The machine below, as far as the lab must know it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]
_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21


def may_administer() -> bool:
    """Whether we can make namespaces by ourselves, or need one of users around them first.

    A container's root often lacks the right to networks.
    """
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return all(effective >> bit & 1 for bit in (_CAP_NET_ADMIN, _CAP_SYS_ADMIN))


def measurement() -> dict[str, str]:
    """The variables by which coverage.py measures child processes; none unless it measures us."""
    found = {
        name: os.environ.get(name, "") for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")
    }
    return found if all(found.values()) else {}


def measured() -> Optional[Path]:
    """The folder where coverage.py writes, when it measures."""
    return Path(os.environ["COVERAGE_FILE"]).parent if measurement() else None


def unmeasured() -> dict[str, str]:
    """Our environment for a child that is looked at itself: what it loads, or takes."""
    return {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}


def end(process: subprocess.Popen[str]) -> None:
    """Ends nsenter and what it runs, from the inside outwards.

    A command that outlived its nsenter would be the child of a process outside of its namespace,
    and if nobody there collected it, the namespace could not end.
    """
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = entry.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == process.pid:
            os.kill(int(entry.parent.name), signal.SIGKILL)
    try:
        process.wait(1)
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        process.kill()
    process.communicate()


def shown() -> tuple[Path, ...]:
    """The project and the Python that runs us, wherever they are."""
    wanted = {ROOT, *(Path(place).absolute() for place in (sys.prefix, sys.base_prefix))}
    wanted |= {path.resolve() for path in wanted}
    wanted |= {Path(os.path.realpath(sys.executable)).parents[1]}
    have = [Path("/usr"), Path("/bin"), Path("/lib")]
    for path in sorted(wanted):
        if path != Path("/") and not any(path == one or one in path.parents for one in have):
            have.append(path)
    return tuple(have[3:])
