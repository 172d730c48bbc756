"""What takes time to make and never differs: compiled programs and certificates, kept in a cache.

Each is made aside and put in its place by one rename, so that labs that start at once share it
without locks and none sees half of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Callable

SBIN = ":/usr/local/sbin:/usr/sbin:/sbin"
PACKAGES = {
    "cc": "gcc libc6-dev",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "setpriv": "util-linux",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
}


class LabError(Exception):
    """The simulation itself does not work here; the text says why in one line."""


def program(name: str) -> str:
    """The path of an external program; sbin is not on everybody's PATH."""
    found = shutil.which(name, path=os.environ.get("PATH", os.defpath) + SBIN)
    if found is None:
        raise LabError(f"{name} not found: apt-get install {PACKAGES.get(name, name)}")
    return found


def call(*arguments: str, text: str = "") -> str:
    """Runs an external program; its complaint becomes the lab's."""
    command = [program(arguments[0]), *arguments[1:]]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        complaint = " ".join((done.stderr or done.stdout).split())
        raise LabError(f"{' '.join(arguments)[:200]}: {complaint[:500]}")
    return done.stdout


def kept(name: str, recipe: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills, made once for a recipe."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    place = Path(home) / "agentcheck"
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not os.access(place, os.W_OK):
            raise PermissionError
    except OSError:  # a user without a home, such as nobody
        place = Path(tempfile.gettempdir()) / f"agentcheck-{os.geteuid()}"
        place.mkdir(mode=0o700, exist_ok=True)
        if place.is_symlink() or place.stat().st_uid != os.geteuid():
            raise LabError(f"{place} belongs to somebody else") from None
    folder = place / f"vpc-{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        fresh = Path(tempfile.mkdtemp(prefix=f"new-{name}-", dir=place))
        try:
            make(fresh)
            fresh.rename(folder)
        except OSError:  # another lab was quicker
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def compiled(source: str, **defines: str) -> Path:
    """The program made from a C file beside this one, with string macros."""
    file = Path(__file__).with_name(source)
    flags = [f'-D{name}="{value}"' for name, value in defines.items()]
    # A home may be seen from several machines and trees.
    platform = f"{os.uname().machine} {os.confstr('CS_GNU_LIBC_VERSION')}"

    def make(folder: Path) -> None:
        target = folder / file.stem
        call("cc", "-O1", "-Wall", "-Wextra", *flags, "-o", str(target), str(file))

    return kept(file.stem, file.read_text() + repr(flags) + platform, make) / file.stem
