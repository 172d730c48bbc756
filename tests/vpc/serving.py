"""What the fake servers share: the world they show, their record, listening, and a little HTTP.

The code is blocking and has a thread for each connection: a server that hangs, delays or breaks off
is then written as it is said, and the process is ended as a whole anyway.
"""

from __future__ import annotations

import contextlib
import email.utils
import ipaddress
import json
import selectors
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Callable, Optional

from tests.vpc import linux
from tests.vpc.scenario import CANARIES, Scenario

# Service, address, port: what a socket is for.
Place = tuple[str, str, int]


class World:
    """The scenario as it is now, and the record of what the servers gave out and received."""

    def __init__(self, scenario: Scenario, record: Path, certificates: Path) -> None:
        self.scenario = scenario
        self.certificates = certificates
        self._record = record.open("ab", buffering=0)

    def log(self, server: str, **facts: object) -> None:
        """Before the answer goes out, so that whoever has the answer finds the record of it."""
        self._record.write(json.dumps({"server": server, **facts}).encode() + b"\n")


class Listeners:
    """All listening sockets; a handler gets a UDP socket itself, or a TCP connection.

    Those at loopback addresses are on the instance, of which `instance` is a process.
    """

    def __init__(self, instance: int) -> None:
        self._instance = instance
        self._selector = selectors.DefaultSelector()
        self._open: dict[tuple[Place, str], socket.socket] = {}

    def keep(
        self,
        places: Mapping[tuple[Place, str], Callable[[socket.socket], None]],
        ttl: Callable[[Place], int],
    ) -> None:
        """Listens at these places (with the protocol, tcp or udp) and no others."""
        for key in self._open.keys() - places.keys():
            self._selector.unregister(self._open[key])
            self._open.pop(key).close()
        for key, handler in places.items():
            place, protocol = key
            tcp = protocol == "tcp"
            if key not in self._open:
                self._open[key] = self._listen(place, tcp)
                self._selector.register(self._open[key], selectors.EVENT_READ)
            self._selector.modify(self._open[key], selectors.EVENT_READ, (tcp, handler))
            level, option = socket.IPPROTO_IP, socket.IP_TTL
            if ":" in place[1]:
                level, option = socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS
            self._open[key].setsockopt(level, option, ttl(place))

    def _listen(self, place: Place, tcp: bool) -> socket.socket:
        family = socket.AF_INET6 if ":" in place[1] else socket.AF_INET
        stub = ipaddress.ip_address(place[1]).is_loopback
        with linux.in_network_of(self._instance) if stub else contextlib.nullcontext():
            one = socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(place[1:])
        if tcp:
            one.listen(128)
        return one

    def attend(self, other: socket.socket, handler: Callable[[socket.socket], None]) -> None:
        """Serves for ever; what arrives on the other socket goes to its handler, in this thread."""
        self._selector.register(other, selectors.EVENT_READ, (False, handler))
        while True:
            for key, _ in self._selector.select():
                tcp, handle = key.data
                one = key.fileobj
                assert isinstance(one, socket.socket)
                if tcp:
                    connection, _ = one.accept()
                    threading.Thread(target=_serve, args=(handle, connection), daemon=True).start()
                else:
                    handle(one)


def _serve(handle: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection:
        try:
            handle(connection)
        except (OSError, ValueError):  # the client left, or spoke something else
            pass


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]  # with names in lower case
    body: bytes


def read_request(connection: socket.socket, pending: bytearray) -> Optional[Request]:
    """The next request; None when the client has gone. `pending` holds what was read beyond it."""
    while b"\r\n\r\n" not in pending:
        part = connection.recv(65536)
        if not part:
            return None
        pending += part
    head, _, rest = bytes(pending).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    size = int(headers.get("content-length", "0"))
    while len(rest) < size:
        part = connection.recv(65536)
        if not part:
            return None
        rest += part
    pending[:] = rest[size:]
    return Request(method, path, headers, rest[:size])


def reply(
    request: Request,
    status: int,
    body: str,
    headers: Mapping[str, str],
    date_offset: float,
) -> bytes:
    """A whole answer, dated by the world's clock."""
    raw = body.encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    now = email.utils.formatdate(time.time() + date_offset, usegmt=True)
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Date: {now}", f"Content-Length: {len(raw)}", "", ""]
    return "\r\n".join(lines).encode() + (b"" if request.method == "HEAD" else raw)


def canaries_in(text: str) -> list[str]:
    """The names of the secrets that a text gives away."""
    return [name for name, secret in CANARIES.items() if secret in text]
