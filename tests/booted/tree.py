"""The Debian trees that machines boot from: made once by debootstrap, never written to again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.vpc import host
from tests.vpc.artefacts import LabError, program

RELEASES = ("bullseye", "bookworm", "trixie")
PACKAGES = (
    "systemd,systemd-sysv,dbus,python3,python3-requests,python3-psutil,python3-dnspython,"
    "python3-systemd,python3-waitress,procps,iproute2,nftables,ca-certificates"
)
# The system is to trust the lab's authority alone. What apt fetched is of no use in there.
_STRIP = """\
cd -- "$1"
rm -f etc/ssl/certs/* var/cache/apt/archives/*.deb var/cache/apt/*.bin var/lib/apt/lists/*_*
rm -f etc/machine-id etc/hostname etc/resolv.conf
"""


def tree(release: str = "bookworm") -> Path:
    """The tree of a Debian release. Two test processes at once wait for one another."""
    if release not in RELEASES:
        raise LabError(f"no machine of Debian {release}, only of {', '.join(RELEASES)}")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    place = Path(home) / "agentcheck"
    place.mkdir(parents=True, exist_ok=True)
    recipe = hashlib.sha256(f"{PACKAGES}{_STRIP}".encode()).hexdigest()[:12]
    made = place / f"machine-{release}-{recipe}"
    if made.is_dir():
        return made
    with (place / f"{made.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            part = place / f"{made.name}.part"
            _call("rm", "-rf", "--one-file-system", "--", str(part))
            packages = f"--include={PACKAGES}"
            _call(
                program("debootstrap"), "--variant=minbase", packages, release, str(part), _mirror()
            )
            _call("sh", "-euc", _STRIP, "sh", str(part))
            part.rename(made)
    return made


def _mirror() -> str:
    """The archive that this machine itself installs from, as `dev test --tree` finds it."""
    code = "import pythons; print(pythons.mirror())"
    folder = host.ROOT / "tests/requirements"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LabError(" ".join(done.stderr.split()))
    return done.stdout.strip()


def _call(*command: str) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise LabError(f"{command[0]}: {' '.join(done.stdout.split()[-60:])}")
