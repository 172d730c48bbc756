"""Strangers for the simulated VPC: what listens in the place of a server, and means no good.

Functions of a module, or partials of them: the process of the VPC's servers finds them by name.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Union

from tests.vpc.imds import look_up
from tests.vpc.metadata import tree
from tests.vpc.scenario import CANARIES, Scenario
from tests.vpc.serving import read_request, reply

# What a stranger says, part by part: bytes, or seconds of silence; None is silence for good.
Said = tuple[Union[bytes, float, None], ...]
MIB = b"x" * (1 << 20)


def _say(connection: socket.socket, said: Said, again: Said = ()) -> None:
    """Says it all, then `again` for ever, until the client has gone."""
    for part in said:
        if part is None:
            threading.Event().wait()
        elif isinstance(part, float):
            time.sleep(part)
        else:
            connection.sendall(part)
    while again:
        _say(connection, again)


def speak(said: Said, again: Said, connection: socket.socket) -> None:
    """At once, without listening."""
    _say(connection, said, again)


def answer(said: Said, again: Said, connection: socket.socket) -> None:
    """To one request, after its head."""
    if read_request(connection, bytearray()) is not None:
        _say(connection, said, again)


def secure(pem: str, then: Callable[[socket.socket], None], connection: socket.socket) -> None:
    """TLS with the certificate of a file, and inside of it another stranger."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with context.wrap_socket(connection, server_side=True) as inside:
        then(inside)


def handshake(pem: str, size: int, said: Said, again: Said, connection: socket.socket) -> None:
    """The first `size` bytes of a server's side of TLS, and then something else."""
    connection.sendall(_flight(pem, connection)[:size])
    _say(connection, said, again)


def slow_handshake(pem: str, connection: socket.socket) -> None:
    """A server's side of TLS, byte by byte."""
    for byte in _flight(pem, connection):
        connection.sendall(bytes((byte,)))
        time.sleep(0.1)


def _flight(pem: str, connection: socket.socket) -> bytes:
    """What a server answers to the client's hello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    inner, outer = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(inner, outer, server_side=True)
    inner.write(connection.recv(65536))
    with contextlib.suppress(ssl.SSLWantReadError):
        server.do_handshake()
    return outer.read()


def metadata(odd: Mapping[str, tuple[Said, Said]], connection: socket.socket) -> None:
    """The metadata service of a healthy instance, but for the paths below /latest/ in `odd`.

    "*" stands for all that is not a token. What is said there is a whole answer and its end.
    """
    pending = bytearray()
    entries = tree(Scenario())
    while True:
        request = read_request(connection, pending)
        if request is None:
            return
        path = request.path[len("/latest/") :]
        said = odd.get(path) or (odd.get("*") if path != "api/token" else None)
        if said:
            _say(connection, *said)
            return
        token = request.method == "PUT"
        found = CANARIES["imds-token"] if token else look_up(entries, request.path)
        status, body = found if isinstance(found, tuple) else (200, found)
        connection.sendall(reply(request, status, body, {}, 0.0))


def datagrams(make: Callable[[bytes], Iterator[bytes]], server: socket.socket) -> None:
    """A name server over UDP: every question gets the packets that `make` makes of it."""
    query, client = server.recvfrom(65535)

    def send() -> None:
        with contextlib.suppress(OSError):
            for packet in make(query):
                server.sendto(packet, client)

    threading.Thread(target=send, daemon=True).start()


def stream(make: Callable[[bytes], Iterator[bytes]], connection: socket.socket) -> None:
    """The same over TCP, each answer behind its length."""
    reader = connection.makefile("rb")
    while len(size := reader.read(2)) == 2:
        for packet in make(reader.read(struct.unpack("!H", size)[0])):
            connection.sendall(struct.pack("!H", len(packet)) + packet)
