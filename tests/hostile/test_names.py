"""Name servers that loop, flood, cut off, hang, and answer what nobody asked."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Optional

import pytest

from tests.hostile import names
from tests.hostile.measure import Case, attack_all, wrong
from tests.hostile.peers import datagrams, speak, stream
from tests.vpc.scenario import LINK_LOCAL_RESOLVER, VPC_RESOLVER

pytestmark = pytest.mark.vpc

UNSURE = ("could-not-tell",)
SILENT = ("dns-unreachable", "could-not-tell")
NO_ADDRESS = ("dns-not-found", "could-not-tell")
HEALTHY = ("healthy",)


def servers(
    make: Callable[[bytes], Iterator[bytes]],
    may_say: tuple[str, ...],
    over_tcp: Optional[Callable[[socket.socket], None]] = None,
) -> Case:
    """All name servers answer so, the VPC's own too."""
    strangers: dict[tuple[str, int, str], Callable[[socket.socket], None]] = {}
    for address in (VPC_RESOLVER, LINK_LOCAL_RESOLVER):
        strangers[address, 53, "udp"] = partial(datagrams, make)
        strangers[address, 53, "tcp"] = over_tcp or partial(stream, make)
    return Case({"strangers": strangers}, may_say)


def long_answer(over_tcp: Callable[[socket.socket], None], may_say: tuple[str, ...]) -> Case:
    """Too long for a datagram, so asked for again over TCP."""
    return servers(names.truncated, may_say, over_tcp)


CASES = {
    "good": servers(names.good, HEALTHY),
    "good after a flood": servers(names.good_after_flood, HEALTHY),
    "good over TCP": long_answer(partial(stream, names.good), HEALTHY),
    "good for IPv4 only": servers(names.hostile_ipv6, (*HEALTHY, *UNSURE)),
    "silence": servers(names.silent, SILENT),
    "nothing in a datagram": servers(names.empty, SILENT),
    "a name that is itself": servers(names.loop, UNSURE),
    "names that are each other": servers(names.ring, UNSURE),
    "an alias of itself": servers(names.alias_loop, NO_ADDRESS),
    "a chain of aliases": servers(names.alias_chain, NO_ADDRESS),
    "an alias of odd characters": servers(names.odd_alias, (*HEALTHY, *UNSURE)),
    "addresses of what does not exist": servers(names.denied_with_addresses, NO_ADDRESS),
    "addresses of wrong sizes": servers(names.wrong_sizes, UNSURE),
    "fewer records than announced": servers(names.wrong_count, UNSURE),
    "an answer to another question": servers(names.wrong_question, SILENT),
    "a flood of other answers": servers(names.foreign_ids, SILENT),
    "rubbish": servers(names.rubbish, SILENT),
    "17 addresses": servers(names.dozens, ("endpoint-partly-blocked", *UNSURE)),
    "4000 addresses": servers(names.thousands, ("endpoint-refused", "no-route", *UNSURE)),
    "a long answer": servers(names.long_datagram, NO_ADDRESS),
    "3000 names of 80 labels": servers(names.long_names, NO_ADDRESS),
    "TCP, which hangs": long_answer(partial(speak, (None,), ()), SILENT),
    "TCP, which drips": long_answer(partial(speak, (b"\xff\xff",), (b"x", 0.3)), SILENT),
    "TCP, which is cut": long_answer(partial(speak, (b"\xff",), ()), SILENT),
    "TCP, 65535 bytes": long_answer(partial(speak, (b"\xff\xff" + b"x" * 65535,), ()), SILENT),
    "TCP, truncated again": long_answer(partial(stream, names.truncated), NO_ADDRESS),
    "TCP, 4000 addresses": long_answer(
        partial(stream, names.thousands), ("endpoint-refused", "no-route", *UNSURE)
    ),
    "TCP, 3000 names": long_answer(partial(stream, names.long_names), NO_ADDRESS),
}


def test_whatever_name_servers_say_a_report_is_made() -> None:
    assert wrong(CASES, attack_all(CASES)) == {}
