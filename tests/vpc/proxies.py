"""The VPC's HTTP proxies: CONNECT to what the scenario has, and every way in which that fails."""

from __future__ import annotations

import base64
import select
import socket
import ssl
import struct
import threading
from typing import Optional

from tests.vpc.scenario import Proxy
from tests.vpc.serving import Request, World, read_request, reply

_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_RESET = struct.pack("ii", 1, 0)
_CONNECT_S = 5.0


class ProxyServer:
    """One proxy; answers by its `Proxy`, looked at anew for every connection."""

    def __init__(self, world: World, address: str, port: int) -> None:
        self._world = world
        self._place = address, port

    def serve(self, connection: socket.socket) -> None:
        proxies = self._world.scenario.proxies
        proxy = next(p for p in proxies if (p.address, p.port) == self._place)
        if not proxy.tls:
            self._speak(connection, proxy)
            return
        with self._context("proxy").wrap_socket(connection, server_side=True) as secure:
            # What follows may itself be TLS, which needs a plain socket below.
            inner, outer = socket.socketpair()
            passing = threading.Thread(target=_pump, args=(secure, outer), daemon=True)
            passing.start()
            try:
                with inner:
                    self._speak(inner, proxy)
            finally:
                passing.join()

    def _context(self, kind: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._world.certificates / f"{kind}.pem")
        return context

    def _speak(self, client: socket.socket, proxy: Proxy) -> None:
        if proxy.mode == "hang":
            threading.Event().wait()
        request = read_request(client, bytearray())
        if request is None:
            return
        if proxy.mode == "garbage":
            client.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n\x00\x14\x01\x02\x03\r\n")
            return
        upstream: Optional[socket.socket] = None
        status = _refusal(request, proxy)
        if status == 200:
            upstream = self._reach(request.path)
            status = 503 if upstream is None else 200
        self._world.log("proxy", method=request.method, host=request.path, status=status)
        if upstream is None:
            headers = {"Content-Type": "text/html", "Connection": "close", "Via": "1.1 proxy"}
            if status == 407:
                headers["Proxy-Authenticate"] = 'Basic realm="proxy"'
            page = _PAGE.format(f"Error {status}")
            if proxy.echo:
                page += "\n".join(f"{key}: {value}" for key, value in request.headers.items())
                headers["X-Denied"] = request.headers.get("proxy-authorization", "")
            client.sendall(reply(request, status, page, headers, 0.0))
            return
        with upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if proxy.mode == "intercept":
                self._intercept(client, upstream, request.path.rpartition(":")[0])
            else:
                _pump(client, upstream)

    def _reach(self, place: str) -> Optional[socket.socket]:
        """A connection to what the client names, made here in the VPC."""
        name, _, port = place.rpartition(":")
        name = name.strip("[]").lower()
        for address in self._world.scenario.records.get(name, (name,)) or ():
            try:
                return socket.create_connection((address, int(port)), _CONNECT_S)
            except (OSError, UnicodeError, ValueError):
                continue
        return None

    def _intercept(self, client: socket.socket, upstream: socket.socket, name: str) -> None:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        upstream.settimeout(None)
        decrypted = self._context("foreign-ca").wrap_socket(client, server_side=True)
        with decrypted, trusting.wrap_socket(upstream, server_hostname=name) as behind:
            _pump(decrypted, behind)


def _refusal(request: Request, proxy: Proxy) -> int:
    """The status of the answer, 200 when the proxy wants to do it."""
    told = request.headers.get("proxy-authorization", "")
    wanted = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    if proxy.user and told.split(" ") != ["Basic", wanted]:
        return 407
    if proxy.mode == "deny":
        return 403
    if proxy.mode == "bad-gateway":
        return 502
    return 200 if request.method == "CONNECT" else 503


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Passes on what comes, both ways, until either side ends.

    In one thread: a TLS connection must not be read and written at the same time.
    """
    peers = {one: other, other: one}
    try:
        while True:
            held = [s for s in peers if isinstance(s, ssl.SSLSocket) and s.pending()]
            for source in held or select.select(list(peers), [], [])[0]:
                source.settimeout(0)
                try:
                    part = source.recv(65536)
                except (BlockingIOError, ssl.SSLWantReadError):  # a part of a TLS record
                    continue
                finally:
                    source.settimeout(None)
                if not part:
                    return
                peers[source].sendall(part)
    except OSError:
        for each in peers:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    finally:
        for each in peers:
            each.close()
