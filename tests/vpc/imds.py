"""The metadata service, with the manners of the real one: IMDSv2 only, listings, its headers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from typing import Union

from tests.vpc.metadata import tree
from tests.vpc.scenario import CANARIES, Reply
from tests.vpc.serving import Request, World, canaries_in, read_request, reply

PORT = 80
_TTL = "x-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "x-aws-ec2-metadata-token"
_PORTAL = "<html><head><title>Guest network</title></head><body>Please log in.</body></html>"
_ERROR = """<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>{status} - {text}</title>
 </head>
 <body>
  <h1>{status} - {text}</h1>
 </body>
</html>
"""
_TEXTS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


class Imds:
    """Answers by the world's `imds`, looked at anew for every request."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._valid_until = 0.0  # all tokens are the same canary: the newest counts

    def serve(self, connection: socket.socket) -> None:
        pending = bytearray()
        while True:
            request = read_request(connection, pending)
            if request is None:
                return
            imds = self._world.scenario.imds
            if imds.mode == "silent":
                self._world.log("imds", path=request.path, status=None, canaries=[])
                threading.Event().wait()
            time.sleep(imds.delay)
            status, body, headers = self._answer(request)
            self._world.log(
                "imds",
                method=request.method,
                path=request.path,
                status=status,
                canaries=canaries_in(body),
            )
            headers = {**headers, "Connection": "keep-alive", "Server": "EC2ws"}
            connection.sendall(reply(request, status, body, headers, imds.date_offset))
            if request.headers.get("connection", "").lower() == "close":
                return

    def _answer(self, request: Request) -> tuple[int, str, dict[str, str]]:
        mode = self._world.scenario.imds.mode
        if mode == "html":
            return 200, _PORTAL, {"Content-Type": "text/html"}
        if mode == "disabled":
            return _error(403)
        if request.method == "PUT":
            return self._token(request)
        if request.method not in ("GET", "HEAD"):
            return _error(403)
        token = request.headers.get(_TOKEN)
        if token != CANARIES["imds-token"] or time.monotonic() >= self._valid_until:
            return _error(401)
        found = look_up(tree(self._world.scenario), request.path)
        if isinstance(found, tuple):
            return (*found, {"Content-Type": "text/plain"})
        return 200, found, {"Content-Type": "text/plain", "Accept-Ranges": "none"}

    def _token(self, request: Request) -> tuple[int, str, dict[str, str]]:
        ttl = request.headers.get(_TTL, "")
        if request.path != "/latest/api/token" or "x-forwarded-for" in request.headers:
            return _error(403 if "x-forwarded-for" in request.headers else 404)
        if not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            return _error(400)
        self._valid_until = time.monotonic() + int(ttl)
        return 200, CANARIES["imds-token"], {"Content-Type": "text/plain", _TTL: ttl}


def look_up(entries: Mapping[str, Union[str, Reply]], path: str) -> Union[str, Reply]:
    """The entry at a path, or else the listing of it: a name a line, folders with a slash."""
    wanted = path.partition("?")[0]
    if wanted in entries:
        return entries[wanted]
    folder = wanted.rstrip("/") + "/"
    names = set()
    for known in entries:
        if known.startswith(folder) and known != folder:
            first, slash, _ = known[len(folder) :].partition("/")
            names.add(first + slash)
    # A path both with text and below it (the name of a role) is listed once, as the real one does.
    names -= {name + "/" for name in names}
    if folder in entries:
        return entries[folder]
    return "\n".join(sorted(names)) if names else (404, _error(404)[1])


def _error(status: int) -> tuple[int, str, dict[str, str]]:
    body = _ERROR.format(status=status, text=_TEXTS[status])
    return status, body, {"Content-Type": "text/html"}
