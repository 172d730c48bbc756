"""The services' endpoints: TLS on 443, and behind it a service that knows one read-only call."""

from __future__ import annotations

import functools
import json
import socket
import ssl
import struct
import threading
import time
from calendar import timegm
from pathlib import Path
from typing import Any, Optional

from tests.vpc import signature
from tests.vpc.scenario import ACCESS_KEY_ID, CANARIES, ECHO, Endpoint, Reply, TlsMode
from tests.vpc.serving import Request, World, canaries_in, read_request, reply

_JSON = "application/x-amz-json-1.1"
_RESET = struct.pack("ii", 1, 0)


class EndpointServer:
    """One address and port; answers by its `Endpoint`, looked at anew for every connection."""

    def __init__(self, world: World, address: str, port: int) -> None:
        self._world = world
        self._address = address
        self._port = port

    def serve(self, connection: socket.socket) -> None:
        endpoint = self._endpoint(None)
        mode = endpoint.tls_mode(self._address)
        if mode == "hang":
            threading.Event().wait()
        elif mode == "plain":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            connection.recv(65536)
        elif mode == "cut":
            connection.recv(65536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            self._secure(connection, endpoint, mode)

    def _endpoint(self, name: Optional[str]) -> Endpoint:
        """Who is here under that name, or else whoever is here."""
        scenario = self._world.scenario
        here = [e for e in scenario.endpoints if self._address in e.addresses and e.exists]
        here = [e for e in here if e.port == self._port]
        return next((e for e in here if scenario.name_of(e) == name), here[0])

    def _secure(self, connection: socket.socket, endpoint: Endpoint, mode: TlsMode) -> None:
        facts: dict[str, object] = {"address": self._address}
        secure = _context(self._world.certificates / f"{mode}.pem").wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        try:
            secure.do_handshake()
        except OSError as error:
            asked = getattr(secure, "asked", "")
            if asked != "":  # else it was about the port only
                self._world.log("tls", **facts, sni=asked, error=str(error))
            secure.close()
            return
        facts["sni"] = asked = getattr(secure, "asked", None)
        endpoint = self._endpoint(asked)
        # No time-out: the agent's channel stays open as long as the agent likes.
        with secure:
            self._world.log("tls", **facts, version=secure.version())
            pending = bytearray()
            while True:
                request = read_request(secure, pending)
                if request is None:
                    return
                status, body = respond(endpoint, self._world.scenario.region, request)
                self._world.log(
                    "tls",
                    **facts,
                    request=f"{request.method} {request.path}",
                    target=request.headers.get("x-amz-target"),
                    status=status,
                    signed="authorization" in request.headers,
                    canaries=canaries_in(body),
                )
                headers = {
                    "Content-Type": "text/html" if body.lstrip().startswith("<") else _JSON,
                    "x-amzn-RequestId": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
                }
                secure.sendall(reply(request, status, body, headers, endpoint.date_offset))


@functools.cache
def _context(certificate: Path) -> ssl.SSLContext:
    """One for all connections: their cost is in what `./dev bench` measures."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = _note_name
    return context


def _note_name(secure: Any, name: Optional[str], _: ssl.SSLContext) -> None:
    secure.asked = name


def respond(endpoint: Endpoint, region: str, request: Request) -> Reply:
    """What the service says: who asks is looked at first, as the real ones do."""
    told = signature.parse(request.headers.get("authorization", ""))
    if told is None:
        return _error(400, "MissingAuthenticationTokenException", "Missing Authentication Token")
    if told.key_id != ACCESS_KEY_ID or request.headers.get("x-amz-security-token") not in (
        CANARIES["session-token"],
    ):
        text = "The security token included in the request is invalid."
        return _error(400, "UnrecognizedClientException", text)
    if (told.region, told.service) != (region, endpoint.service):
        text = f"Credential should be scoped to a valid region, not '{told.region}'."
        return _error(400, "InvalidSignatureException", text)
    stamp = request.headers.get("x-amz-date", "")
    now = time.time() + endpoint.date_offset
    try:
        signed_at = timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        text = "Date must be in ISO-8601 'basic format'."
        return _error(400, "IncompleteSignatureException", text)
    if abs(signed_at - now) > 300:
        limit = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now - 300))
        text = f"Signature expired: {stamp} is now earlier than {limit}"
        return _error(400, "InvalidSignatureException", text)
    wrong = signature.complaint(
        told,
        CANARIES["secret-key"],
        request.method,
        request.path,
        request.headers,
        request.body,
    )
    if wrong is not None:
        return _error(400, "InvalidSignatureException", wrong)
    if endpoint.signed is not None:
        status, text = endpoint.signed
        told_back = "\n".join(f"{key}:{value}" for key, value in request.headers.items())
        return status, text.replace(ECHO, json.dumps(told_back)[1:-1])
    target = request.headers.get("x-amz-target", "")
    if endpoint.service == "ssm" and target.endswith(("ListInstanceAssociations",)):
        return 200, json.dumps({"Associations": []})
    return _error(400, "UnknownOperationException", "")


def _error(status: int, code: str, text: str) -> Reply:
    return status, json.dumps({"__type": code, "message": text})
