"""The way through the agent's proxy: its name, TCP, TLS with an https proxy, CONNECT, TLS inside.

RFC 9110, section 9.3.6 (CONNECT) and 11.7 (Proxy-Authorization). What the proxy is asked is what
the agent's HTTP client asks it.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from typing import Optional, Union

from agentcheck.observations import Connection, Tunnel
from agentcheck.probes import connection, nameservers
from agentcheck.probes.connection import USER_AGENT, Stream
from agentcheck.probes.parallel import Task, side_by_side
from agentcheck.proxy import Proxy

# A proxy looks the name up and connects before it answers: that may take a name server's time-out.
CONNECT_TIMEOUT = 4.0
MAX_ANSWER = 16384
MAX_ADDRESSES = 4


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
        host,
        lambda: dial(proxy, host, port, context, timeout),
        plain,
        seen,
        context,
        timeout,
        threading.Semaphore(1),
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
    addresses = nameservers.addresses_of(proxy.host)[:MAX_ADDRESSES]
    if not addresses:
        raise Refused("unresolved", f"the name {proxy.host} does not resolve")

    def connect(address: str) -> Union[socket.socket, Refused]:
        try:
            return socket.create_connection((address, proxy.port), timeout)
        except OSError as error:
            text = f"{address}: {connection.error_text(error, timeout)}"
            return Refused(connection.tcp_state(error), text)

    # Side by side: a proxy with several dead addresses must not use up the round.
    tried = side_by_side(connect, addresses, "proxy", timeout + 0.5)
    made = [one for one in tried if isinstance(one, socket.socket)]
    for spare in made[1:]:
        spare.close()
    if not made:
        refusals = [one for one in tried if isinstance(one, Refused)]
        raise refusals[0] if refusals else Refused("timeout", f"no answer within {timeout:g} s")
    if proxy.scheme == "http":
        return made[0]
    try:
        return connection.secured(proxy.host, made[0], context, timeout)
    except OSError as error:
        reason = getattr(error, "verify_message", "") or type(error).__name__
        raise Refused("tls", f"TLS with the proxy {proxy.host} failed ({reason})") from None


def _request(proxy: Proxy, host: str, port: int) -> bytes:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", f"User-Agent: {USER_AGENT}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("ascii", "replace")


def _read_answer(stream: Stream) -> None:
    """Reads the answer's head and nothing beyond it: then TLS begins. Raises Refused."""
    head = b""
    end = time.monotonic() + CONNECT_TIMEOUT
    while not head.endswith(b"\r\n\r\n"):
        stream.settimeout(max(0.001, end - time.monotonic()))
        byte = stream.recv(1)
        if not byte or len(head) > MAX_ANSWER:
            break
        head += byte
    found = re.match(rb"HTTP/\S*[ \t]+([1-9][0-9][0-9])\b", head)
    if found is None:
        raise Refused("not-proxy", "the answer to CONNECT is not HTTP")
    status = int(found[1])
    if not head.endswith(b"\r\n\r\n"):
        raise Refused("not-proxy", "the answer to CONNECT breaks off", status)
    if not 200 <= status < 300:
        raise Refused("denied", f"the proxy answers {status} to CONNECT", status)
