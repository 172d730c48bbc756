"""TLS over anything that stands for a connected socket, of which it takes no more than is due.

ssl.SSLSocket works on sockets alone, so not inside the TLS of a proxy, and lets OpenSSL read
100 KiB of certificates, which become megabytes for each address of an endpoint.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable
from typing import Any, Optional, TypeVar

from agentcheck.probes.deadline import left

T = TypeVar("T")

# All that the server sends until TLS stands. Amazon's chains have 5 KiB.
MAX_HANDSHAKE = 16384


class TooLong(OSError):
    """The handshake is longer than any genuine one."""


class TlsStream:
    """What of a socket is needed here. A time-out is of a whole operation, the handshake too."""

    def __init__(self, stream: Any, context: ssl.SSLContext, host: str, timeout: float) -> None:
        """Raises OSError; the stream below is not closed then."""
        self._stream = stream
        self._timeout = timeout
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._room: Optional[int] = MAX_HANDSHAKE
        self._do(self._tls.do_handshake)
        self._room = None

    def settimeout(self, timeout: float) -> None:
        self._timeout = timeout

    def getpeercert(self, binary_form: bool = False) -> Any:
        return self._tls.getpeercert(binary_form)

    def sendall(self, data: bytes) -> None:
        self._do(lambda: self._tls.write(data))

    def recv(self, size: int) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(buffer)])

    def recv_into(self, buffer: Any) -> int:
        """Nothing at the end, be it announced or not."""
        try:
            return int(self._do(lambda: self._tls.read(len(buffer), buffer)))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return 0

    def close(self) -> None:
        self._stream.close()

    def _do(self, step: Callable[[], T]) -> T:
        """One step of TLS, with whatever must be sent and received for it."""
        end = time.monotonic() + self._timeout
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._send(end)
                self._receive(end)
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._send(end)  # the alert that says why
                raise
            else:
                self._send(end)
                return done

    def _send(self, end: float) -> None:
        data = self._outgoing.read()
        if data:
            self._stream.settimeout(left(end))
            self._stream.sendall(data)

    def _receive(self, end: float) -> None:
        if self._room is not None and self._room <= 0:
            raise TooLong("longer than any genuine one")
        self._stream.settimeout(left(end))
        data = self._stream.recv(min(self._room or MAX_HANDSHAKE, MAX_HANDSHAKE))
        if self._room is not None:
            self._room -= len(data)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
