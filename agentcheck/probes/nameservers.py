"""The configured DNS servers, and what the hosts file says instead of them."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.resolver

from agentcheck.probes.files import read_bounded
from agentcheck.probes.parallel import Task

# As long as an endpoint's name may take, see resolver.LIMIT.
LIMIT = 5.1
HOSTS = Path("/etc/hosts")
# systemd-resolved listens here on this host; the servers behind it stand in UPSTREAM
# (systemd-resolved.service(8)).
STUBS = ("127.0.0.53", "127.0.0.54")
UPSTREAM = "/run/systemd/resolve/resolv.conf"
# glibc uses the first three servers of resolv.conf (MAXNS, resolv.conf(5)).
MAX_SERVERS = 3
MAX_HOSTS = 1 << 20


def configured() -> tuple[str, ...]:
    """The servers that answer in the end; 127.0.0.1 where none is named (resolv.conf(5)).

    systemd-resolved's stub is seen through: it is this host's, not a server of its own.
    """
    found = _servers("/etc/resolv.conf")
    if found and all(server in STUBS for server in found):
        found = _servers(UPSTREAM) or found
    return found or ("127.0.0.1",)


def _servers(path: str) -> tuple[str, ...]:
    try:
        servers = dns.resolver.Resolver(path).nameservers
    except (dns.exception.DNSException, OSError, ValueError):
        return ()
    return tuple(str(server) for server in servers[:MAX_SERVERS])


def addresses_of(host: str) -> tuple[str, ...]:
    """What the system says of a name that is no endpoint's, such as a proxy's; () after `LIMIT`."""

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
    try:
        text = read_bounded(HOSTS, MAX_HOSTS).decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(dict.fromkeys(_entries(text, host)))


def _entries(text: str, host: str) -> Iterator[str]:
    wanted = host.lower().rstrip(".")
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if wanted in (word.lower().rstrip(".") for word in words[1:]):
            try:
                yield str(ipaddress.ip_address(words[0].partition("%")[0]))
            except ValueError:
                continue
