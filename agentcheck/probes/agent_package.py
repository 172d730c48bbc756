"""Which package the agent came in and which version it is.

Package databases first; executing a file called amazon-ssm-agent comes last and only where no
other user could have put it there.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Optional

from agentcheck.files import read_bounded, read_in_pieces
from agentcheck.model import printable
from agentcheck.observations import Install, Version, parse_version
from agentcheck.probes import command

PACKAGE = "amazon-ssm-agent"
DPKG_STATUS = Path("/var/lib/dpkg/status")
RPM = ("/usr/bin/rpm", "/bin/rpm")
# A status file of ten thousand packages is a tenth of it.
MAX_DATABASE = 64 << 20
_PARAGRAPH = re.compile(rb"(?:^|\n\n)Package: amazon-ssm-agent\n(?:.+\n)*")
MAX_TEXT = 120


def of_system(path: Path) -> Install:
    """The agent at /usr/bin: deb, rpm or a bare binary."""
    for package, version in (("deb", _dpkg_version()), ("rpm", _rpm_version())):
        if version:
            parsed = parse_version(version)
            if parsed:
                return Install(str(path), package, parsed, version, f"{package} package")
    return _of_binary(path, "")


def of_snap(path: Path) -> Install:
    """The agent in a snap; snap.yaml carries the version."""
    try:
        text = read_bounded(path.parent / "meta" / "snap.yaml", 65536).decode("utf-8", "replace")
    except OSError:
        text = ""
    found = re.search(r"^version:\s*['\"]?([^\s'\"]+)", text, re.M)
    parsed = parse_version(found[1]) if found else None
    if found and parsed:
        return Install(str(path), "snap", parsed, _shown(found[1]), "snap metadata")
    return _of_binary(path, "snap")


def _of_binary(path: Path, package: str) -> Install:
    text = _ask_binary(path)
    source = "the binary's -version" if text else ""
    return Install(str(path), package, parse_version(text), text, source)


def _dpkg_version() -> str:
    """Version of an installed package from dpkg's status file (deb822 paragraphs)."""
    paragraph = ""
    try:
        for text in read_in_pieces(DPKG_STATUS, MAX_DATABASE, b"\n\n"):
            found = _PARAGRAPH.search(text + b"\n") if PACKAGE.encode() in text else None
            if found:
                paragraph = found[0].decode("utf-8", "replace")
                break
    except OSError:
        return ""
    if not re.search(r"^Status: .*\binstalled$", paragraph, re.M):
        return ""
    version = re.search(r"^Version: (\S+)$", paragraph, re.M)
    return _shown(version[1]) if version else ""


def _rpm_version() -> str:
    query = ["-q", "--queryformat", "%{VERSION}-%{RELEASE}\n", PACKAGE]
    status, output = command.run(RPM, query)
    return _shown(output.split("\n")[0]) if status == 0 else ""


def _shown(text: str) -> str:
    return printable(text.strip()[:MAX_TEXT])


def version_of_process(pid: int) -> Optional[Version]:
    """The version of the program that a process of root runs, though its file was replaced.

    The link in /proc leads to it all the same. It is executed only where its file is root's and
    nobody else could write it; the caller saw that the process is root's and in our namespaces. A
    container that shares those has another root folder, and its root is not to run programs here.
    """
    try:
        descriptor = os.open(f"/proc/{pid}/exe", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not (_only_root_could_write_it(os.fstat(descriptor)) and _is_in_our_root(pid)):
            return None
        # That very file, whatever process has the number by now.
        program = f"/proc/self/fd/{descriptor}"
        status, output = command.run([program], ["-version"], pass_fds=[descriptor])
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return parse_version(output) if status == 0 else None


def _is_in_our_root(pid: int) -> bool:
    """Whether it sees the root folder of process 1; our own may be that of a sandbox."""
    return os.path.samefile(f"/proc/{pid}/root", "/proc/1/root")


def _ask_binary(path: Path) -> str:
    """What `amazon-ssm-agent -version` prints; "" when it may not be trusted or does not answer."""
    real = Path(os.path.realpath(path))
    if not _only_root_could_write(real):
        return ""
    status, output = command.run([str(real)], ["-version"])
    return _shown(output) if status == 0 and parse_version(output) else ""


def _only_root_could_write(path: Path) -> bool:
    """Whether the file and all folders above it are root's and nobody else may write them.

    Then nobody else can exchange it either, between this look and its execution.
    """
    try:
        for place in (path, *path.parents):
            if not _only_root_could_write_it(os.lstat(place)):
                return False
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _only_root_could_write_it(entry: os.stat_result) -> bool:
    return entry.st_uid == 0 and not entry.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
