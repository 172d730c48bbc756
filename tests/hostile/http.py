"""Answers over HTTP as no server should give them: what is said, and what is said for ever."""

from __future__ import annotations

import gzip
import zlib

from tests.hostile.peers import MIB, Said

OK = b"HTTP/1.1 200 OK\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n"
LINE = b"X: " + b"y" * 65000 + b"\r\n"
ESCAPES = "\x1b[31m\x1b]0;title\x07\r\n\x9b\u202e\x00"
Speech = tuple[Said, Said]


def body(content: bytes, *headers: bytes, status: bytes = b"200 OK") -> Speech:
    """A whole answer."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(content), b"", content]
    return (b"\r\n".join(lines),), ()


def _bomb() -> bytes:
    """A hundred MiB in 100 KiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(MIB) for _ in range(100)) + packer.flush()


BOMB = _bomb()
NESTED_BOMB = gzip.compress(gzip.compress(BOMB))
LOCATION = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\n"

# What nobody can take for an answer.
NO_ANSWERS: dict[str, Speech] = {
    "nothing": ((), ()),
    "no HTTP": ((b"\x00\xff" * 1000,), ()),
    "a head that breaks off": ((OK + b"Conte",), ()),
    "a body that breaks off": ((OK + b"Content-Length: 500\r\n\r\nabcdefgh",), ()),
    "headers of 6 MiB": ((OK, *[LINE] * 100, b"\r\n", None), ()),
    "headers without end": ((OK,), (LINE,)),
    "a head that drips": ((OK,), (b"X: y\r\n", 0.3)),
    "a body that drips": ((OK + b"Content-Length: 500\r\n\r\n",), (b"a", 0.3)),
    "100 without end": ((), (CONTINUE + b"\r\n",)),
    "100 with headers without end": ((), (CONTINUE + LINE + b"\r\n",)),
    "a body of 10 MiB": ((OK + b"\r\n", *[MIB] * 10), ()),
    "a body without end": ((OK + b"Content-Length: 9999999999999999\r\n\r\n",), (MIB,)),
    "a chunk without end": ((OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFF\r\n",), (MIB,)),
    "chunks of no size": ((OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\nzz\r\n",), ()),
    "two lengths": ((OK + b"Content-Length: 3\r\nContent-Length: 99\r\n\r\nabc",), ()),
    "a length below none": ((OK + b"Content-Length: -1\r\n\r\n\x00",), ()),
    "a bomb": body(BOMB, b"Content-Encoding: gzip"),
    "a bomb in bombs": body(NESTED_BOMB, b"Content-Encoding: gzip, gzip, gzip"),
    "a redirect with a bomb": ((LOCATION + b"Content-Encoding: gzip\r\n\r\n" + BOMB,), ()),
    "a redirect without end": ((LOCATION + b"\r\n",), (MIB,)),
    "a redirect to itself": body(b"", LOCATION[20:-2], status=b"302 Found"),
    "a redirect to a file": body(b"", b"Location: file:///etc/shadow", status=b"301 Moved"),
    "no Unicode": body(b"\xff\xfe\x80\x00"),
    "lists in lists": body(b"[" * 60000),
}
