"""One HTTP/1.1 request over a connection that is there: the answer ends in time and stays small.

The standard library's client takes a hundred headers of 64 KiB each, skips answers of 100 for ever,
and its time-outs are of single reads. So it is given no more to read than a genuine answer has.
"""

from __future__ import annotations

import email.utils
import http.client
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from typing import Any, Optional

from agentcheck.probes.deadline import left

# Head and body; the largest genuine one (an identity document, a denial) is under 4 KiB.
MAX_ANSWER = 16384


class TooLong(http.client.HTTPException):
    """The answer is longer than any genuine one."""


@dataclass(frozen=True)
class Answer:
    """A whole answer; the body is not decoded, whatever Content-Encoding says."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    clock_offset_s: Optional[float]


def ask(
    stream: Any,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    seconds: float,
    most: int = MAX_ANSWER,
) -> Answer:
    """Asks, and reads the answer, of so many bytes at most, within so many seconds.

    Nothing is followed.

    `headers` are all that is sent, Host too. Raises OSError or http.client.HTTPException.
    """
    client = http.client.HTTPConnection("")
    bounded: Any = _Bounded(stream, seconds, most)
    client.sock = bounded
    try:
        client.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            client.putheader(name, value)
        client.endheaders(body or None)
        answer = client.getresponse()
        received = time.time()
        whole = b""
        # In small parts: the length that an answer announces is room that would be made for it.
        while part := answer.read(4096):
            whole += part
    except (OSError, http.client.HTTPException):
        raise
    except Exception as error:  # noqa: BLE001 - a parser that stumbles is as good as no answer
        raise http.client.HTTPException(type(error).__name__) from None
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    offset = clock_offset(answer.getheader("Date", ""), received)
    return Answer(answer.status, answer.headers, whole, offset)


class _Bounded(io.RawIOBase):
    """What stands for the socket, and for the file that http.client makes of it."""

    def __init__(self, stream: Any, seconds: float, most: int) -> None:
        self._stream = stream
        self._left = most
        self._end = time.monotonic() + seconds

    def sendall(self, data: bytes) -> None:
        self._stream.settimeout(left(self._end))
        self._stream.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            raise TooLong("longer than any genuine answer")
        self._stream.settimeout(left(self._end))
        size = int(self._stream.recv_into(memoryview(buffer)[: self._left]))
        self._left -= size
        return size

    def close(self) -> None:
        """The connection is closed by whoever made it."""


def clock_offset(date: str, received: float) -> Optional[float]:
    """Seconds that the sender of an HTTP `Date` is ahead of this host; resolution one second."""
    try:
        sent = email.utils.parsedate_to_datetime(date)
        if sent.tzinfo is None:
            sent = sent.replace(tzinfo=timezone.utc)
        # The date was cut to the second: half a second on average.
        return sent.timestamp() + 0.5 - received
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
