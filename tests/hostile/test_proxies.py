"""Proxies, plain and over TLS, that answer CONNECT in every way but the right one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

import pytest

from tests.hostile.http import ESCAPES, LINE, OK, Speech
from tests.hostile.measure import Case, attack_all, wrong
from tests.hostile.peers import MIB, answer, handshake, secure, speak
from tests.vpc import certificates
from tests.vpc.scenario import PROXY_NAME, Agent, Proxy

pytestmark = pytest.mark.vpc

UNREACHABLE = ("proxy-unreachable", "could-not-tell")
REFUSES = ("proxy-refuses", "could-not-tell")
FAILED = ("tls-failed", "could-not-tell")
SPEECHES: dict[str, tuple[Speech, tuple[str, ...]]] = {
    "nothing": (((), ()), UNREACHABLE),
    "rubbish": (((b"\x00\xff" * 1000,), ()), UNREACHABLE),
    "headers without end": (((OK,), (LINE,)), UNREACHABLE),
    "a line without end": (((OK,), (MIB,)), UNREACHABLE),
    "a head that hangs": (((OK, None), ()), UNREACHABLE),
    "a head that drips": (((OK,), (b"X: y\r\n", 0.3)), UNREACHABLE),
    "100 without end": (((), (b"HTTP/1.1 100 Continue\r\n\r\n",)), REFUSES),
    "a redirect": (((b"HTTP/1.1 302 Found\r\nLocation: file:///etc/shadow\r\n\r\n",), ()), REFUSES),
    "407 with escapes": (
        (
            (
                b"HTTP/1.1 407 \x1b[31m\r\nProxy-Authenticate: Basic realm="
                + ESCAPES.encode()
                + b"\r\n\r\n",
            ),
            (),
        ),
        REFUSES,
    ),
    "a status with escapes": (((b"HTTP/1.1 2\x1b[31m OK\r\n\r\n",), ()), UNREACHABLE),
    "a status of 5000 digits": (((b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n",), ()), UNREACHABLE),
    "a status below none": (((b"HTTP/1.1 -200 OK\r\n\r\n",), ()), UNREACHABLE),
    "success, then an end": (((OK + b"\r\n",), ()), FAILED),
    "success, then silence": (((OK + b"\r\n", None), ()), FAILED),
    "success, then a page": (((OK + b"\r\n<html>hello</html>", None), ()), FAILED),
    "success, then a flood": (((OK + b"\r\n",), (MIB,)), FAILED),
}
# The same code reads them.
OVER_TLS = (
    "nothing",
    "a head that drips",
    "407 with escapes",
    "success, then silence",
    "success, then a flood",
)


def behind(
    stranger: Callable[[socket.socket], None], scheme: str, may_say: tuple[str, ...]
) -> Case:
    """The agent's proxy; IMDS is asked directly."""
    proxy = Proxy(tls=scheme == "https")
    agent = Agent(
        environment={
            "HTTPS_PROXY": f"{scheme}://{PROXY_NAME}:{proxy.port}",
            "NO_PROXY": "169.254.169.254",
        },
        connected=False,
    )
    strangers = {(proxy.address, proxy.port, "tcp"): stranger}
    return Case({"proxies": (proxy,), "agent": agent, "strangers": strangers}, may_say)


def cases() -> dict[str, Case]:
    """Each over plain HTTP, and some over TLS."""
    folder = certificates.folder()
    own = str(folder / "proxy.pem")
    found = {
        "speaks first": behind(partial(speak, (b"220 mail\r\n", None), ()), "http", UNREACHABLE),
        "half of a handshake": behind(
            partial(handshake, own, 300, (None,), ()), "https", UNREACHABLE
        ),
        "TLS in TLS that stops": behind(
            partial(secure, own, partial(answer, (OK + b"\r\n\x16\x03\x03",), (b"\x40", 0.3))),
            "https",
            FAILED,
        ),
    }
    for name, (speech, may_say) in SPEECHES.items():
        plain = partial(answer, *speech)
        found[f"http: {name}"] = behind(plain, "http", may_say)
        if name in OVER_TLS:
            found[f"https: {name}"] = behind(partial(secure, own, plain), "https", may_say)
    return found


def test_whatever_a_proxy_says_a_report_is_made() -> None:
    assert wrong(cases(), attack_all(cases())) == {}
