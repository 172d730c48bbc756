"""The way through the agent's proxy: its name, TCP, TLS with an https proxy, CONNECT, TLS inside.

RFC 9110, section 9.3.6 (CONNECT) and 11.7 (Proxy-Authorization). What the proxy is asked is what
the agent's HTTP client asks it.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import Optional

from agentcheck.observations import Connection, Tunnel
from agentcheck.probes import connection
from agentcheck.probes.connection import USER_AGENT, Stream
from agentcheck.probes.parallel import Task
from agentcheck.proxy import Proxy

# A proxy looks the name up and connects before it answers: that may take a name server's time-out.
CONNECT_TIMEOUT = 4.0
MAX_ANSWER = 16384


class Refused(OSError):
    """The proxy answered CONNECT with something else than success."""

    def __init__(self, state: str, text: str, status: Optional[int] = None) -> None:
        super().__init__(text)
        self.state, self.status = state, status


def probe(proxy: Proxy, host: str, port: int, context: ssl.SSLContext, timeout: float) -> Tunnel:
    """Reaches `host`:`port` through the proxy and says how far it came. Never raises."""
    limit = 2 * timeout + CONNECT_TIMEOUT + connection.HTTP_TIMEOUT
    task = Task(lambda: _probe(proxy, host, port, context, timeout), "tunnel")
    if task.finished(limit):
        return task.result()
    return Tunnel(proxy.shown, "hangs", error=f"no end within {limit:g} s")


def _probe(proxy: Proxy, host: str, port: int, context: ssl.SSLContext, timeout: float) -> Tunnel:
    if proxy.scheme not in ("http", "https"):
        return Tunnel(proxy.shown, "unsupported", error=f"{proxy.scheme} proxies are not tried")
    started = time.monotonic()
    try:
        plain = dial(proxy, host, port, context, timeout)
    except Refused as refused:
        return Tunnel(proxy.shown, refused.state, refused.status, str(refused))
    seen = Connection(proxy.host, "", False, "ok", connection.since(started))
    inside = connection.try_tls(
        host, lambda: dial(proxy, host, port, context, timeout), plain, seen, context, timeout
    )
    return Tunnel(proxy.shown, "ok", 200, "", inside)


def dial(proxy: Proxy, host: str, port: int, context: ssl.SSLContext, timeout: float) -> Stream:
    """A connection to `host`:`port` through the proxy. Raises Refused."""
    stream = _to_proxy(proxy, context, timeout)
    try:
        stream.settimeout(CONNECT_TIMEOUT)
        stream.sendall(_request(proxy, host, port))
        _read_answer(stream)
        return stream
    except Refused:
        stream.close()
        raise
    except OSError as error:
        stream.close()
        if isinstance(error, (socket.timeout, TimeoutError)):
            text = f"CONNECT not answered within {CONNECT_TIMEOUT:g} s"
            raise Refused("hangs", text) from None
        raise Refused("not-proxy", f"cut off ({type(error).__name__})") from None


def _to_proxy(proxy: Proxy, context: ssl.SSLContext, timeout: float) -> Stream:
    try:
        addresses = socket.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused("unresolved", f"the name {proxy.host} does not resolve") from None
    trouble: Optional[Refused] = None
    for family, kind, protocol, _, place in addresses[:4]:
        plain = socket.socket(family, kind, protocol)
        plain.settimeout(timeout)
        try:
            plain.connect(place)
        except OSError as error:
            plain.close()
            text = f"{place[0]}: {connection.error_text(error, timeout)}"
            trouble = trouble or Refused(connection.tcp_state(error), text)
            continue
        if proxy.scheme == "http":
            return plain
        try:
            return connection.secured(proxy.host, plain, context, timeout)
        except OSError as error:
            reason = getattr(error, "verify_message", "") or type(error).__name__
            raise Refused("tls", f"{place[0]}: TLS with the proxy failed ({reason})") from None
    raise trouble or Refused("unresolved", f"the name {proxy.host} has no address")


def _request(proxy: Proxy, host: str, port: int) -> bytes:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", f"User-Agent: {USER_AGENT}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("ascii", "replace")


def _read_answer(stream: Stream) -> None:
    """Reads the answer's head and nothing beyond it: then TLS begins. Raises Refused."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte or len(head) > MAX_ANSWER:
            break
        head += byte
    words = head.split(b"\r\n", 1)[0].split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise Refused("not-proxy", "the answer to CONNECT is not HTTP")
    status = int(words[1])
    if not head.endswith(b"\r\n\r\n"):
        raise Refused("not-proxy", "the answer to CONNECT breaks off", status)
    if not 200 <= status < 300:
        raise Refused("denied", f"the proxy answers {status} to CONNECT", status)
