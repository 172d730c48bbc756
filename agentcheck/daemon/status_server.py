"""The status port: the daemon's last report over HTTP.

A WSGI application that reads the board and nothing else, so that no request starts a round, waits
for one or holds up the daemon; and the server that carries it, waitress in a thread of its own.
Whoever connects may be anybody on this machine, or a web page in somebody's browser (hence the
look at the Host header): connections are few, short and small, and no answer repeats the request.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import re
import resource
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from agentcheck import __version__
from agentcheck.daemon import socket_file
from agentcheck.daemon.board import Board, Shown
from agentcheck.model import OK, PENDING, WARN, AgentcheckError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Beyond this many, or half the files that this process may open, connections wait in the kernel.
CONNECTIONS = 2048
# Settings of waitress.
OPTIONS: Mapping[str, Any] = {
    "threads": 2,
    # A connection is over after 10 s, whatever it is doing (see _hardened).
    "channel_timeout": 10,
    "cleanup_interval": 2,
    # A browser sends about 1 KiB of headers; a body is no part of any request here.
    "max_request_header_size": 8192,
    "max_request_body_size": 1024,
    "asyncore_use_poll": True,  # select() ends at file number 1023
    "ident": None,
    "clear_untrusted_proxy_headers": True,
    "log_socket_errors": False,
}
# How long close() waits for the threads, in seconds.
PATIENCE = 5.0

_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())

_TYPE, _CSP = "Content-Type", "Content-Security-Policy"
_TEXT: Mapping[str, str] = {
    _TYPE: "text/plain; charset=utf-8",
    _CSP: "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_METRICS = {**_TEXT, _TYPE: "text/plain; version=0.0.4; charset=utf-8"}
_JSON = {**_TEXT, _TYPE: "application/json"}
_HTML = {**_TEXT, _TYPE: "text/html; charset=utf-8"}
# The name of RFC 9110's Host, without its port.
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s\[\]:/@,]+)(?::\d{0,5})?", re.IGNORECASE)


class _Answer(NamedTuple):
    status: str
    body: str
    headers: Mapping[str, str] = _TEXT


def application(board: Board, allowed_hosts: Sequence[str], *, unix: bool) -> WSGIApplication:
    """The application over the board; on a unix socket any Host will do.

    Raises ConfigError for an entry of `allowed_hosts` that no Host header can match.
    """
    hosts = None if unix else frozenset(_allowed(entry) for entry in allowed_hosts)

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = _answer(board, hosts, environ)
        except Exception:  # noqa: BLE001 - one answer is lost, the next may be right
            _LOG.exception("status port")
            answer = _Answer("500 Internal Server Error", "internal error\n")
        body = answer.body.encode("utf-8", "replace")
        headers = {**answer.headers, "Content-Length": str(len(body))}
        start_response(answer.status, list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return serve


def _allowed(entry: str) -> str:
    name = _host_name(entry)
    if name is None:
        raise ConfigError(
            f"[http] allowed_hosts: {entry!r} is no host name; "
            "allowed: such as localhost, 127.0.0.1 or [::1], divided by spaces"
        )
    return name


def _host_name(host: str) -> Optional[str]:
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else None


def _answer(board: Board, hosts: Optional[frozenset[str]], environ: WSGIEnvironment) -> _Answer:
    host = environ.get("HTTP_HOST")
    if host is None:
        # HTTP/1.0 knows no Host, and no browser speaks it: health checkers such as HAProxy's do.
        if environ["SERVER_PROTOCOL"] != "HTTP/1.0":
            return _Answer("400 Bad Request", "there is no Host header\n")
    elif hosts is not None and _host_name(host) not in hosts:
        body = "this Host is not served; [http] allowed_hosts lists those that are\n"
        return _Answer("421 Misdirected Request", body)
    page = _PAGES.get(environ.get("PATH_INFO", ""))
    if page is None:
        return _Answer("404 Not Found", f"there is nothing here but {' '.join(_PAGES)}\n")
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        headers = {**_TEXT, "Allow": "GET, HEAD"}
        return _Answer("405 Method Not Allowed", "GET and HEAD only\n", headers)
    return page(board.shown())


def _page(shown: Shown) -> _Answer:
    from agentcheck.render import html

    report, live = shown.report, shown.live
    body = html.waiting(live) if report is None else html.render(report, live)
    return _Answer("200 OK", body, {**_HTML, _CSP: html.CONTENT_SECURITY_POLICY})


def _healthz(shown: Shown) -> _Answer:
    word = "stale" if shown.live.stale else shown.live.confirmed_status
    status = "200 OK" if word in (OK, WARN) else "503 Service Unavailable"
    return _Answer(status, f"{word} {shown.live.confirmed_verdict}\n")


def _status(shown: Shown) -> _Answer:
    if shown.document is None:
        return _json({"status": PENDING}, "503 Service Unavailable")
    served = ("confirmed_status", "confirmed_since")
    live = {key: getattr(shown.live, key) or None for key in served}
    return _json({**shown.document, **live, "age_s": shown.live.age_s})


def _metrics(shown: Shown) -> _Answer:
    from agentcheck.render import prometheus

    report, live = shown.report, shown.live
    text = prometheus.waiting(__version__) if report is None else prometheus.render(report, live)
    return _Answer("200 OK", text, _METRICS)


def _history(shown: Shown) -> _Answer:
    return _json([asdict(entry) for entry in shown.live.history])


def _json(value: Any, status: str = "200 OK") -> _Answer:
    return _Answer(status, json.dumps(value, indent=2) + "\n", _JSON)


_PAGES: Mapping[str, Callable[[Shown], _Answer]] = {
    "/": _page,
    "/healthz": _healthz,
    "/status": _status,
    "/metrics": _metrics,
    "/history": _history,
}


class StatusServer:
    """Serves the board at `listen` ([http] listen) from `start()` to `close()`.

    Raises ConfigError for what is no address, and for one beyond loopback without `allow_remote`.
    """

    def __init__(
        self, board: Board, listen: str, allow_remote: bool, allowed_hosts: Sequence[str]
    ) -> None:
        self._listen = listen
        self._family, self._address = _place(listen, allow_remote)
        self._unix = self._family == socket.AF_UNIX
        self._application = application(board, allowed_hosts, unix=self._unix)
        self._file: Optional[tuple[int, int]] = None
        # waitress keeps here what its loop waits on; the loop ends when there is nothing left.
        self._map: dict[int, Any] = {}
        self._server: Any = None
        self._thread: Optional[threading.Thread] = None
        # Where it listens, once it does: a path, or host and port (that was found for port 0).
        self.address: Any = None

    def start(self) -> None:
        """Listens, then serves in a thread. Raises AgentcheckError where that is not possible."""
        create = _hardened()
        made = None
        try:
            made = socket.socket(self._family, socket.SOCK_STREAM)
            if self._unix:
                socket_file.bind(made, self._address)
                self._file = socket_file.identity(self._address)
            else:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                made.bind(self._address)
            self.address = made.getsockname()
            self._server = create(self._application, made, self._map)
        except OSError as error:
            if made is not None:
                made.close()
            raise AgentcheckError(
                f"[http] listen = {self._listen}: {error.strerror or error}; "
                "free that address or choose another one"
            ) from None
        self._thread = threading.Thread(target=self._serve, name="status-port", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread serves."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Ends all connections and the threads, and removes the socket file. May be repeated."""
        if self._thread is None:
            return
        # First the threads that answer, which use what the loop holds open; then the loop, by
        # itself: what it waits on must not be closed behind its back.
        self._server.task_dispatcher.shutdown(timeout=PATIENCE)
        if self.alive:
            self._server.trigger.pull_trigger(self._close_all)
        self._thread.join(PATIENCE)
        self._thread = None
        if self._file is not None and self._file == socket_file.identity(self._address):
            os.unlink(self._address)

    def _serve(self) -> None:
        try:
            self._server.run()
        except Exception:  # noqa: BLE001 - `alive` tells the daemon, which its watchdog then ends
            _LOG.exception("status port")

    def _close_all(self) -> None:
        for channel in list(self._map.values()):
            channel.close()


def _place(listen: str, allow_remote: bool) -> tuple[socket.AddressFamily, Any]:
    """Family and address for bind(); localhost is 127.0.0.1. Raises ConfigError."""
    if listen.startswith("unix:/"):
        return socket.AF_UNIX, listen[len("unix:") :]
    host, _, port = listen.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host
    try:
        address = ipaddress.ip_address(host[1:-1] if host.startswith("[") else host)
        place = (str(address), int(port))
    except ValueError:
        raise ConfigError(
            f"[http] listen = {listen}: not an address to listen on; "
            "allowed: ADDRESS:PORT such as 127.0.0.1:9257, or unix:/PATH"
        ) from None
    if not address.is_loopback and not allow_remote:
        raise ConfigError(
            f"[http] listen = {listen}: other machines could connect there; "
            "allowed: 127.0.0.1, [::1], unix:/PATH, or any with [http] allow_remote = yes"
        )
    return (socket.AF_INET if address.version == 4 else socket.AF_INET6), place


def _hardened() -> Callable[[WSGIApplication, socket.socket, dict[int, Any]], Any]:
    """Makes a server of waitress (2.1.2 to 3.0) that bears clients which mean no good.

    Raises AgentcheckError where waitress is not installed.
    """
    try:
        from waitress.channel import HTTPChannel
        from waitress.server import create_server
        from waitress.task import ErrorTask
    except ImportError:
        raise AgentcheckError(
            "[http] listen: waitress is not installed; "
            "install python3-waitress or leave [http] listen empty"
        ) from None

    class Refusal(ErrorTask):  # type: ignore[misc]
        def execute(self) -> None:
            # waitress would repeat a piece of the request, and say that it is waitress.
            error = self.request.error
            self.status = f"{error.code} {error.reason}"
            self.response_headers = list(_TEXT.items())
            body = f"{error.reason}\n".encode()
            self.content_length = len(body)
            self.write(body)

    class Connection(HTTPChannel):  # type: ignore[misc]
        error_task_class = Refusal
        # What channel_timeout is counted from: no byte that drips in or out prolongs it.
        last_activity = property(lambda self: self.creation_time, lambda self, moment: None)

        def service(self) -> None:
            # One request a connection: who sends many and reads nothing would fill the memory.
            self.requests[0].headers["CONNECTION"] = "close"
            super().service()

    def create(serve: WSGIApplication, bound: socket.socket, waited_on: dict[int, Any]) -> Any:
        logging.getLogger("waitress").addHandler(logging.NullHandler())
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = CONNECTIONS if files == resource.RLIM_INFINITY else min(CONNECTIONS, files // 2)
        server = create_server(
            serve, map=waited_on, sockets=[bound], connection_limit=most, **OPTIONS
        )
        server.channel_class = Connection
        return server

    return create
