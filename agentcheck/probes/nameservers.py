"""The configured DNS servers, and what the hosts file says instead of them."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from agentcheck.files import read_in_pieces
from agentcheck.probes.parallel import Task

# As long as an endpoint's name may take, see resolver.LIMIT.
LIMIT = 5.1
CONFIG = Path("/etc/resolv.conf")
HOSTS = Path("/etc/hosts")
# systemd-resolved listens here on this host; the servers behind it stand in UPSTREAM
# (systemd-resolved.service(8)).
STUBS = ("127.0.0.53", "127.0.0.54")
UPSTREAM = Path("/run/systemd/resolve/resolv.conf")
# glibc uses the first three servers of resolv.conf (MAXNS, resolv.conf(5)).
MAX_SERVERS = 3
MAX_CONFIG = 1 << 20
# One that blocks a million names is 30 MB.
MAX_HOSTS = 64 << 20
_SERVER = re.compile(rb"^nameserver[ \t]+([^\s;#]+)", re.M)


def configured() -> tuple[str, ...]:
    """The servers that answer in the end; 127.0.0.1 where none is named (resolv.conf(5)).

    systemd-resolved's stub is seen through: it is this host's, not a server of its own. () where
    the file cannot be read.
    """
    try:
        found = _servers(CONFIG)
    except OSError:
        if not _is_empty(CONFIG):
            return ()
        found = ()
    if found and all(server in STUBS for server in found):
        try:
            found = _servers(UPSTREAM) or found
        except OSError:
            pass
    return found or ("127.0.0.1",)


def _is_empty(path: Path) -> bool:
    """Whether it is not there, or is the device that some put in its place to say so."""
    try:
        found = os.stat(path)
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(1, 3)


def _servers(path: Path) -> tuple[str, ...]:
    """The first servers that the file names. Raises OSError."""
    found: list[str] = []
    for piece in read_in_pieces(path, MAX_CONFIG):
        for word in _SERVER.findall(piece):
            try:
                found.append(str(ipaddress.ip_address(word.decode("ascii"))))
            except ValueError:
                continue
        if len(found) >= MAX_SERVERS:
            break
    return tuple(found[:MAX_SERVERS])


def addresses_of(host: str) -> tuple[str, ...]:
    """What the system says of a name that is no endpoint's, such as a proxy's; () after `LIMIT`.

    As in resolver.resolve, the C library is not made to read what is no resolv.conf.
    """
    if not configured():
        return ()

    def ask() -> tuple[str, ...]:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return ()
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    task = Task(ask, "getaddrinfo")
    return task.result() if task.finished(LIMIT) else ()


def pinned(host: str) -> tuple[str, ...]:
    """The addresses that the hosts file gives a name (hosts(5))."""
    wanted = host.lower().rstrip(".")
    found: dict[str, None] = {}
    try:
        for piece in read_in_pieces(HOSTS, MAX_HOSTS):
            if wanted.encode("utf-8", "replace") in piece.lower():
                found.update(dict.fromkeys(_entries(piece.decode("utf-8", "replace"), wanted)))
    except OSError:
        return ()
    return tuple(found)


def _entries(text: str, wanted: str) -> Iterator[str]:
    for line in text.split("\n"):
        words = line.partition("#")[0].split()
        if wanted in (word.lower().rstrip(".") for word in words[1:]):
            try:
                yield str(ipaddress.ip_address(words[0].partition("%")[0]))
            except ValueError:
                continue
