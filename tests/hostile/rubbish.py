"""What the properties draw from: broken protocols, any JSON, any text, and how many examples."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same examples every time, unless more are asked for: then others, and the seed of a failure
# is printed (`--hypothesis-seed`).
TIMES = int(os.environ.get("HOSTILE_EXAMPLES", "1"))


def examples(count: int) -> Callable[[Any], Any]:
    """So many examples, times the variable HOSTILE_EXAMPLES."""
    return settings(
        max_examples=count * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


# With control characters, halves of surrogates, digits of every script.
TEXT = st.text(st.characters(), max_size=60)


def pieces(*known: bytes) -> st.SearchStrategy[bytes]:
    """Known pieces of a protocol in any order, with rubbish between."""
    piece = st.one_of(st.sampled_from(known), st.binary(max_size=40))
    return st.lists(piece, max_size=12).map(b"".join)


HTTP = pieces(
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: //[\r\n",
    b"HTTP/9.9 ",
    b"HTTP/1.1 200 Connection established\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -7\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Date: Wed, 25 Nov 2026 04:00:00 +9999\r\n",
    b"Content-Type: multipart/x; boundary=\r\n",
    b": nameless\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"5\r\nabcde\r\n",
    b"0\r\n\r\n",
    b"-1\r\n",
    b"{}",
)


def json_like(*keys: str) -> st.SearchStrategy[Any]:
    """Any JSON, with known keys among the others."""
    plain = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.just("Success")
    names = st.sampled_from(keys) | TEXT
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6)
    )


class Wire:
    """Stands for a socket: gives out bytes in parts of any size, then ends; counts what it gave."""

    def __init__(self, said: bytes, part: int = 1 << 16) -> None:
        self._left, self._part, self.given = said, part, 0
        self.closed = False

    def settimeout(self, timeout: float) -> None:
        assert timeout > 0

    def sendall(self, data: bytes) -> None:
        assert data

    def recv(self, size: int) -> bytes:
        got = self._left[: min(size, self._part)]
        self._left = self._left[len(got) :]
        self.given += len(got)
        return got

    def recv_into(self, buffer: Any) -> int:
        got = self.recv(len(buffer))
        buffer[: len(got)] = got
        return len(got)

    def close(self) -> None:
        self.closed = True
