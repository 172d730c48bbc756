"""Whatever names, addresses, settings, dates and certificates hold, they are read or left out."""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentcheck import hosts, proxy
from agentcheck.clock import utc
from agentcheck.observations import ServerAnswer
from agentcheck.probes import bounded_http, connection, imds, resolver, tunnel
from tests.hostile import names
from tests.hostile.rubbish import TEXT, examples, pieces

HOST = "ssm.us-east-1.amazonaws.com"
STATES = ("ok", "nxdomain", "no-address", "servfail", "refused", "timeout", "failed")

NETWORKS = st.one_of(
    *(
        st.builds(kind, st.tuples(addresses, st.integers(0, size)), strict=st.just(False))
        for kind, addresses, size in (
            (ipaddress.ip_network, st.ip_addresses(v=4), 32),
            (ipaddress.ip_network, st.ip_addresses(v=6), 128),
        )
    )
)


@examples(100)
@given(st.lists(NETWORKS.map(str), max_size=4), st.ip_addresses().map(str))
@example(["255.255.255.255/32", "::/0"], "::ffff:10.0.0.1")
def test_any_networks_have_resolvers_and_any_address_a_scope(cidrs: list[str], place: str) -> None:
    for address in hosts.vpc_resolvers(cidrs):
        ipaddress.ip_address(address)
    assert connection.scope_of(place, cidrs) in ("vpc", "private", "public")
    connection.within(place, cidrs)


@examples(300)
@given(
    st.builds("{}://{}:{}@{}:{}".format, st.sampled_from(("http", "https", "x")), *[TEXT] * 4)
    | TEXT,
    TEXT | st.builds("{}:{}".format, TEXT, TEXT),
    TEXT | st.just(HOST),
    st.integers(1, 65535),
)
@example("http://u:\udcff@10.0.0.99:3128", "", HOST, 443)
@example("http://10.0.0.99:\u00b2", f"{HOST}:\u00b2", HOST, 443)
@example("http://10.0.0.99:3128", f"{HOST}:" + "4" * 5000, HOST, 443)
def test_any_setting_of_a_proxy_is_read(url: str, none_for: str, host: str, port: int) -> None:
    setting = proxy.proxy_for(host, port, {"https_proxy": url, "NO_PROXY": none_for})
    assert setting in (None, url)
    parsed = proxy.parse(url)
    assert proxy.shown(url)
    if parsed is not None:
        assert 0 < parsed.port < 65536
        tunnel._request(parsed, HOST, port).decode("ascii")


@examples(100)
@given(*[st.text(st.characters(codec="utf-8"), min_size=9, max_size=20)] * 2)
def test_user_and_password_of_a_proxy_are_sent_and_never_shown(user: str, password: str) -> None:
    from base64 import b64decode
    from urllib.parse import quote

    url = f"http://{quote(user, safe='')}:{quote(password, safe='')}@10.0.0.99:3128"
    parsed = proxy.parse(url)
    assert parsed is not None
    assert b64decode(parsed.authorization[len("Basic ") :]).decode() == f"{user}:{password}"
    for text in (proxy.shown(url), repr(parsed), hosts.without_secrets(url)):
        assert "10.0.0.99" in text
        assert quote(password, safe="") not in text
        assert password not in text


@examples(200)
@given(TEXT | st.builds("{0:%Y-%m-%dT%H:%M:%S}.{1}{2}".format, st.datetimes(), st.integers(), TEXT))
@example("0001-01-01T00:00:00+23:59")
@example("9999-12-31T23:59:59-23:59")
@example("2026-11-25T04:00:00+99:99")
@example("\u0662\u0660\u0662\u0666-11-25T04:00:00Z")
def test_any_moment_of_the_metadata_is_a_number_or_none(text: str) -> None:
    moment = imds.parse_time(text)
    assert moment is None or (math.isfinite(moment) and utc(moment))


@examples(200)
@given(TEXT | st.builds("{}, {} {} {} {}:{}:{} {}".format, *[TEXT | st.integers()] * 8))
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("Wed, 25 Nov 2026 04:00:00 +9999")
@example("Wed, 25 Nov 99999999999999999999 04:00:00 GMT")
def test_any_date_is_a_clock_or_none(text: str) -> None:
    offset = bounded_http.clock_offset(text, 0.0)
    assert offset is None or (math.isfinite(offset) and utc(offset))


NAME = st.lists(st.lists(st.tuples(st.sampled_from(("commonName", "organizationName")), TEXT)))
DATE = TEXT | st.datetimes().map(lambda when: when.strftime("%b %d %H:%M:%S %Y GMT"))


@examples(100)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "subject": NAME,
            "issuer": NAME,
            "subjectAltName": st.lists(st.tuples(st.sampled_from(("DNS", "IP Address")), TEXT)),
            "notBefore": DATE,
            "notAfter": DATE,
        },
    ),
    TEXT | st.just(HOST),
)
def test_any_certificate_is_described_without_a_control_character(peer: Any, host: str) -> None:
    found = connection.decode(peer)
    error = ssl.SSLCertVerificationError()
    error.verify_code = 20
    assert connection._verify_state(error, found, host)
    if found is not None:
        assert all(text.isprintable() for text in (found.subject, found.issuer, *found.names))


@examples(300)
@given(
    st.sampled_from(("ok", "timeout", "nxdomain", "no-address", "Temporary failure", "\x1b")),
    st.lists(st.builds(ServerAnswer, st.just("10.0.0.2"), st.sampled_from(STATES)), max_size=3),
)
def test_a_name_that_no_server_denies_is_not_said_to_be_missing(
    system: str, answers: list[ServerAnswer]
) -> None:
    """Unless none of them answered: then the system's word counts."""
    addresses = ("10.0.1.10",) if system == "ok" else ()
    state = resolver.judge(HOST, system, addresses, answers, 0.1).state
    said = {answer.state for answer in answers} - {"timeout"}
    if state in resolver.NEGATIVE:
        assert not said or said & {"nxdomain", "no-address", "servfail", "refused"}
    assert (state == "ok") is bool(addresses) or system == "timeout"


RECORDS = pieces(
    b"\xc0\x0c",
    b"\xc0\x1d",
    b"\xff\xff",
    b"\x03www\x07example\x00",
    b"\x3f" + b"x" * 63,
    names.record(names.A, names.GOOD[names.A]),
    names.record(names.AAAA, names.GOOD[names.AAAA]),
    names.record(names.A, b"\x0a"),
    names.record(names.CNAME, b"\x04evil\x00"),
    names.record(names.CNAME, names.ASKED),
    *(names.record(kind, bytes(20)) for kind in (2, 6, 15, 16, 33, 41, 43, 46, 64, 65, 250, 999)),
)


@pytest.fixture(scope="module")
def server_says() -> Iterator[Any]:
    """A name server on the loopback, over UDP and TCP, with the answer that it is called with."""
    said: list[Any] = [None]
    with pytest.MonkeyPatch.context() as patch, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        place = udp.getsockname()
        patch.setattr(resolver, "PORT", place[1])
        with socket.create_server(place) as tcp:

            def datagrams() -> None:
                while True:
                    query, client = udp.recvfrom(512)
                    udp.sendto(said[0](query, "udp"), client)

            def streams() -> None:
                while True:
                    one, _ = tcp.accept()
                    with one:
                        answer = said[0](one.recv(512)[2:], "tcp")
                        one.sendall(answer)

            for serve in (datagrams, streams):
                threading.Thread(target=serve, daemon=True).start()
            yield lambda make: said.__setitem__(0, make)


@examples(200)
@given(
    records=RECORDS,
    flags=st.sampled_from((0x8180, 0x8180, 0x8180, 0x8183, 0x8182, 0x0100, 0x8380, 0xFFFF)),
    count=st.integers(0, 9) | st.just(65535),
    lost=st.integers(0, 60),
)
@example(records=b"\xc0\x1d" + bytes(10), flags=0x8180, count=1, lost=0)
@example(records=b"", flags=0x8380, count=0, lost=0)
@example(records=b"", flags=0x8380, count=0, lost=9)
def test_whatever_a_name_server_answers_is_told_apart(
    server_says: Any, records: bytes, flags: int, count: int, lost: int
) -> None:
    """Over UDP; and over TCP, where the end is lost, if the answer says that it is too long."""

    def make(query: bytes, protocol: str) -> bytes:
        if protocol == "udp":
            return names.wire(query, records, flags=flags, count=count)
        answer = names.wire(query, records, flags=flags & ~0x0200, count=count)
        return (struct.pack("!H", len(answer)) + answer)[: len(answer) + 2 - lost]

    server_says(make)
    state, addresses, error = resolver._exchange("127.0.0.1", HOST, "A", 0.05)
    assert state in STATES
    assert error.isprintable()
    for address in addresses:
        ipaddress.ip_address(address)
