"""The services' endpoints: TLS on 443, and behind it a service that knows one read-only call."""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
import time
from calendar import timegm
from typing import Optional

from tests.vpc.scenario import ACCESS_KEY_ID, CANARIES, REGION, Endpoint, Reply, TlsMode
from tests.vpc.serving import Request, World, read_request, reply

PORT = 443
_JSON = {"Content-Type": "application/x-amz-json-1.1"}
_RESET = struct.pack("ii", 1, 0)


class EndpointServer:
    """One address; answers by its `Endpoint`, looked at anew for every connection."""

    def __init__(self, world: World, address: str) -> None:
        self._world = world
        self._address = address

    def serve(self, connection: socket.socket) -> None:
        endpoint = next(e for e in self._world.scenario.endpoints if self._address in e.addresses)
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

    def _secure(self, connection: socket.socket, endpoint: Endpoint, mode: TlsMode) -> None:
        asked: list[Optional[str]] = []

        def note_name(_: object, name: Optional[str], __: ssl.SSLContext) -> None:
            asked.append(name)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._world.certificates / f"{mode}.pem")
        context.sni_callback = note_name
        facts: dict[str, object] = {"address": self._address}
        try:
            secure = context.wrap_socket(connection, server_side=True)
        except OSError as error:
            if asked:  # else it was about the port only
                self._world.log("tls", **facts, sni=asked[0], error=str(error))
            return
        facts["sni"] = asked[0]
        # No time-out: the agent's channel stays open as long as the agent likes.
        with secure:
            self._world.log("tls", **facts, version=secure.version())
            pending = bytearray()
            while True:
                request = read_request(secure, pending)
                if request is None:
                    return
                status, body = respond(endpoint, request)
                self._world.log(
                    "tls",
                    **facts,
                    request=f"{request.method} {request.path}",
                    target=request.headers.get("x-amz-target"),
                    status=status,
                    signed="authorization" in request.headers,
                )
                headers = {**_JSON, "x-amzn-RequestId": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
                secure.sendall(reply(request, status, body, headers, endpoint.date_offset))


def respond(endpoint: Endpoint, request: Request) -> Reply:
    """What the service says: who asks is looked at first, as the real ones do."""
    authorization = request.headers.get("authorization", "")
    scope = re.search(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", authorization)
    if scope is None:
        return _error(400, "MissingAuthenticationTokenException", "Missing Authentication Token")
    key_id, region, service = scope.groups()
    if key_id != ACCESS_KEY_ID or request.headers.get("x-amz-security-token") not in (
        CANARIES["session-token"],
    ):
        text = "The security token included in the request is invalid."
        return _error(400, "UnrecognizedClientException", text)
    if (region, service) != (REGION, endpoint.service):
        text = f"Credential should be scoped to a valid region, not '{region}'."
        return _error(400, "InvalidSignatureException", text)
    stamp = request.headers.get("x-amz-date", "")
    now = time.time() + endpoint.date_offset
    if abs(timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) - now) > 300:
        limit = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now - 300))
        text = f"Signature expired: {stamp} is now earlier than {limit}"
        return _error(400, "InvalidSignatureException", text)
    if endpoint.signed is not None:
        return endpoint.signed
    target = request.headers.get("x-amz-target", "")
    if endpoint.service == "ssm" and target.endswith(("ListInstanceAssociations",)):
        return 200, json.dumps({"Associations": []})
    return _error(400, "UnknownOperationException", "")


def _error(status: int, code: str, text: str) -> Reply:
    return status, json.dumps({"__type": code, "message": text})
