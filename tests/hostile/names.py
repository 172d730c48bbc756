"""Answers of name servers that no name server should give, made from the bytes of a question."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

A, CNAME, AAAA = 1, 5, 28
ASKED = b"\xc0\x0c"  # a pointer to the name in the question
GOOD = {A: bytes((10, 0, 1, 10)), AAAA: b"\xfd" + bytes(15)}


def record(kind: int, data: bytes, name: bytes = ASKED, size: int = -1) -> bytes:
    return name + struct.pack("!HHIH", kind, 1, 60, len(data) if size < 0 else size) + data


def wire(query: bytes, *records: bytes, flags: int = 0x8180, count: int = -1) -> bytes:
    """An answer to the question, with as many records as it says, or `count`."""
    asked = query[12 : query.index(b"\0", 12) + 5]
    number = len(records) if count < 0 else count
    return query[:2] + struct.pack("!5H", flags, 1, number, 0, 0) + asked + b"".join(records)


def kind_of(query: bytes) -> int:
    return int.from_bytes(query[query.index(b"\0", 12) + 1 :][:2], "big")


def silent(query: bytes) -> Iterator[bytes]:
    yield from ()


def loop(query: bytes) -> Iterator[bytes]:
    """The name of the record points to itself."""
    here = len(wire(query))
    yield wire(query, record(A, GOOD[A], name=struct.pack("!H", 0xC000 | here)))


def ring(query: bytes) -> Iterator[bytes]:
    """Two names that point to each other."""
    here = len(wire(query))
    name = struct.pack("!HH", 0xC000 | (here + 2), 0xC000 | here)
    yield wire(query, record(A, GOOD[A], name=name))


def truncated(query: bytes) -> Iterator[bytes]:
    yield wire(query, flags=0x8380)


def thousands(query: bytes) -> Iterator[bytes]:
    """As many addresses as a message holds."""
    kind = kind_of(query)
    data = GOOD.get(kind, b"")
    numbers = range(65000 // (12 + len(data)))
    yield wire(query, *(record(kind, data[:-2] + struct.pack("!H", n)) for n in numbers))


def dozens(query: bytes) -> Iterator[bytes]:
    """As many addresses as a datagram holds."""
    kind = kind_of(query)
    yield wire(query, *(record(kind, GOOD[kind][:-1] + bytes((n,))) for n in range(17)))


def long_names(query: bytes) -> Iterator[bytes]:
    """Thousands of records, each for another name of more than eighty labels."""
    longest = b"".join(b"\x02%02d" % number for number in range(83)) + b"\0"
    first = record(CNAME, longest)
    there = struct.pack("!H", 0xC000 | (len(wire(query)) + 12))
    owners = (b"\x02" + struct.pack("!H", number) + there for number in range(3300))
    yield wire(query, first, *(record(A, GOOD[A], name=owner) for owner in owners))


def foreign_ids(query: bytes) -> Iterator[bytes]:
    """Answers to questions that nobody asked, without end."""
    answer = wire(query, record(A, bytes((10, 6, 6, 6))))[1:]
    for number in range(20000):
        yield bytes((query[0] ^ 1 + number % 255,)) + answer


def alias_loop(query: bytes) -> Iterator[bytes]:
    yield wire(query, record(CNAME, ASKED))


def alias_chain(query: bytes) -> Iterator[bytes]:
    """Aliases of aliases, which lead nowhere."""
    names = [ASKED, *(b"\x04n%03d\x00" % number for number in range(1000))]
    yield wire(query, *(record(CNAME, to, name=of) for of, to in zip(names, names[1:])))


def odd_alias(query: bytes) -> Iterator[bytes]:
    """By way of a name with escapes, quotes, dots, nulls and what is no UTF-8."""
    name = b"\x1e\x1b[31m\r\n\"'<script>;.. \x00\xff\xfe%s${x}\x07\0"
    kind = kind_of(query)
    yield wire(query, record(CNAME, name), record(kind, GOOD[kind], name=name))


def denied_with_addresses(query: bytes) -> Iterator[bytes]:
    yield wire(query, record(A, GOOD[A]), flags=0x8183)


def wrong_sizes(query: bytes) -> Iterator[bytes]:
    yield wire(
        query, record(A, b"\x0a\x00\x01"), record(AAAA, b"\x0a"), record(A, GOOD[A], size=900)
    )


def wrong_count(query: bytes) -> Iterator[bytes]:
    yield wire(query, record(A, GOOD[A]), count=65535)


def wrong_question(query: bytes) -> Iterator[bytes]:
    other = query[:12] + b"\x04evil\x07example\0" + query[query.index(b"\0", 12) + 1 :]
    yield wire(other, record(A, GOOD[A]))


def rubbish(query: bytes) -> Iterator[bytes]:
    yield query[:2] + b"\x81\x80" + os.urandom(500)


def empty(query: bytes) -> Iterator[bytes]:
    yield b""


def long_datagram(query: bytes) -> Iterator[bytes]:
    yield wire(query, record(16, b"\xff" + b"x" * 255) * 200, count=200)


def good(query: bytes) -> Iterator[bytes]:
    """The address of the endpoint that the name in the question begins with."""
    last = 11 if query[13:].startswith(b"ssmmessages") else 10
    kind = kind_of(query)
    yield wire(query, *([record(A, bytes((10, 0, 1, last)))] if kind == A else []))


def good_after_flood(query: bytes) -> Iterator[bytes]:
    """The right answer after a hundred to other questions."""
    foreign = foreign_ids(query)
    yield from (next(foreign) for _ in range(100))
    yield from good(query)


def hostile_ipv6(query: bytes) -> Iterator[bytes]:
    """Good for IPv4, endless pointers for IPv6."""
    yield from good(query) if kind_of(query) == A else long_names(query)
