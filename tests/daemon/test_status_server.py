"""The status port: a real server on loopback and a unix socket, and clients that mean no good."""

from __future__ import annotations

import json
import os
import random
import resource
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, Optional

import pytest

import agentcheck.render
from agentcheck.daemon import status_server
from agentcheck.daemon.board import Board
from agentcheck.daemon.status_server import StatusServer, application
from agentcheck.model import (
    FAIL,
    OK,
    PENDING,
    UNKNOWN,
    WARN,
    AgentcheckError,
    ConfigError,
    HistoryEntry,
)
from agentcheck.render.json import document
from tests.render.test_prometheus import LIVE, REPORT

HOSTS = ["localhost", "127.0.0.1", "[::1]"]
PATHS = ["/", "/healthz", "/status", "/metrics", "/history"]
CANARY = "c4n4ry<b>"
ENTRIES = [
    HistoryEntry("2026-11-25T04:00:00Z", FAIL, OK, "endpoint-blocked", ["ssm"], "2" * 32),
    HistoryEntry("2026-11-24T04:00:00Z", OK, None, "healthy", [], "1" * 32),
]
SECURITY = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cache-control",
    "cross-origin-resource-policy",
    "x-frame-options",
}


class Reply(NamedTuple):
    """An answer as its bytes say; status 0 when the connection ended without one."""

    status: int
    headers: dict[str, str]
    body: bytes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def board_with(status: str = FAIL, age: float = 0.0, filling: str = "") -> Board:
    """A board after a round that `status` was confirmed by."""
    clock = Clock()
    board = Board(60.0, clock)
    live = replace(LIVE, confirmed_status=status, confirmed_verdict="the-code", history=ENTRIES)
    board.publish({**document(REPORT), "filling": filling}, REPORT, live, 60.0)
    clock.now = age
    return board


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A double of the page, whose own tests are elsewhere."""
    double = SimpleNamespace(
        render=lambda report, live: f"<p>{report.verdict.code} {live.confirmed_status}",
        waiting=lambda live: "<p>waiting",
        CONTENT_SECURITY_POLICY="default-src 'none'; style-src 'sha256-x'",
    )
    monkeypatch.setattr(agentcheck.render, "html", double, raising=False)
    monkeypatch.setitem(sys.modules, "agentcheck.render.html", double)
    return double


Serve = Callable[..., StatusServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers and closes them after the test, in which all must have stayed alive."""
    with ExitStack() as stack:

        def start(board: Optional[Board] = None, listen: str = "127.0.0.1:0") -> StatusServer:
            server = StatusServer(board or board_with(), listen, False, HOSTS)
            server.start()
            stack.callback(server.close)
            started.append(server)
            return server

        started: list[StatusServer] = []
        yield start
        assert all(server.alive for server in started)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections end after 1 s."""
    options = {**status_server.OPTIONS, "channel_timeout": 1, "cleanup_interval": 1}
    monkeypatch.setattr(status_server, "OPTIONS", options)


def connect(server: StatusServer) -> socket.socket:
    family = socket.AF_UNIX if isinstance(server.address, str) else socket.AF_INET
    client = socket.socket(family)
    client.settimeout(30)
    client.connect(server.address)
    return client


def read(client: socket.socket) -> Reply:
    """Everything until the server ends the connection."""
    data = b""
    try:
        while True:
            piece = client.recv(65536)
            if not piece:
                break
            data += piece
    except ConnectionError:
        pass
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    status = int(first.split()[1]) if first else 0
    return Reply(status, {name.lower(): value for name, value in headers.items()}, body)


def send(server: StatusServer, raw: bytes) -> Reply:
    with closing(connect(server)) as client:
        try:
            client.sendall(raw)
        except ConnectionError:
            pass  # it has heard enough
        return read(client)


def ask(
    server: StatusServer, path: str, method: str = "GET", host: str = "localhost", more: str = ""
) -> Reply:
    request = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"
    return send(server, request.encode("latin-1"))


def assert_serves(server: StatusServer) -> None:
    assert ask(server, "/healthz").body == b"fail the-code\n"


@pytest.mark.parametrize("unix", [False, True])
@pytest.mark.parametrize(
    ("board", "health", "code"),
    [
        (Board(60.0), "pending pending", 503),
        (board_with(OK), "ok the-code", 200),
        (board_with(WARN), "warn the-code", 200),
        (board_with(FAIL), "fail the-code", 503),
        (board_with(UNKNOWN), "unknown the-code", 503),
        (board_with(PENDING), "pending the-code", 503),
        (board_with(OK, age=61.0), "stale the-code", 503),
    ],
)
def test_every_path_in_every_state(
    serve: Serve, tmp_path: Path, unix: bool, board: Board, health: str, code: int
) -> None:
    server = serve(board, f"unix:{tmp_path}/s" if unix else "127.0.0.1:0")
    known = board.shown().document is not None
    found = {path: ask(server, path) for path in PATHS}
    assert {path: reply.status for path, reply in found.items()} == {
        "/": 200,
        "/healthz": code,
        "/status": 200 if known else 503,
        "/metrics": 200,
        "/history": 200,
    }
    assert found["/healthz"].body == f"{health}\n".encode()
    assert b"agentcheck_healthy 0" in found["/metrics"].body
    assert found["/"].body.startswith(b"<p>endpoint-blocked" if known else b"<p>waiting")
    assert len(json.loads(found["/history"].body)) == (2 if known else 0)
    for path, reply in found.items():
        assert int(reply.headers["content-length"]) == len(reply.body)
        head = ask(server, path, "HEAD")
        assert (head.status, head.body) == (reply.status, b"")
        assert {**head.headers, "date": ""} == {**reply.headers, "date": ""}


def test_status_is_the_report_and_what_was_confirmed(serve: Serve) -> None:
    found = json.loads(ask(serve(board_with(WARN, age=7.0)), "/status").body)
    assert found.items() >= json.loads(json.dumps(document(REPORT))).items()
    assert (found["status"], found["confirmed_status"], found["age_s"]) == (FAIL, WARN, 7.0)
    assert found["confirmed_since"] == LIVE.confirmed_since
    assert json.loads(ask(serve(Board(60.0)), "/status").body) == {"status": "pending"}


def test_history_is_newest_first(serve: Serve) -> None:
    found = json.loads(ask(serve(), "/history").body)
    assert [entry["verdict"] for entry in found] == ["endpoint-blocked", "healthy"]
    assert list(found[0]) == ["time", "status", "previous", "verdict", "services", "run_id"]


def test_types_are_those_that_readers_expect(serve: Serve) -> None:
    server = serve()
    types = {path: ask(server, path).headers["content-type"] for path in PATHS}
    assert types["/metrics"] == "text/plain; version=0.0.4; charset=utf-8"
    assert types["/status"] == types["/history"] == "application/json"
    assert types["/"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"])
def test_other_methods_are_405(serve: Serve, method: str) -> None:
    reply = ask(serve(), "/status", method)
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


ODD_PATHS = ["//x", "/../etc/passwd", "/healthz/", "/HEALTHZ", "/%2e%2e/etc", "/%00", "/\xff", "*"]
ODD_PATHS += ["/status.json", "/healthz%2f", "/;healthz", "x:80", "/./healthz"]


@pytest.mark.parametrize("path", [*ODD_PATHS, pytest.param("/" + "a" * 4096, id="4 KiB")])
def test_other_paths_are_404(serve: Serve, path: str) -> None:
    server = serve()
    assert ask(server, path).status in (400, 404)
    assert_serves(server)


@pytest.mark.parametrize("path", ["/healthz?a=b", "//healthz", "/%68ealthz", "http://x/healthz"])
def test_other_ways_to_write_a_path(serve: Serve, path: str) -> None:
    assert ask(serve(), path).body == b"fail the-code\n"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LocalHost:9257", 200),
        ("127.0.0.1:1", 200),
        ("[::1]", 200),
        ("[::1]:9257", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil@localhost", 421),
        ("localhost, evil.example", 421),
        ("127.0.0.1.", 421),
        ("::1", 421),
        ("[::2]", 421),
        ("localhost:x", 421),
        ("", 421),
    ],
)
def test_a_foreign_host_is_421(serve: Serve, tmp_path: Path, host: str, status: int) -> None:
    """A web page whose name was pointed at 127.0.0.1 reads nothing; a unix socket has no pages."""
    assert ask(serve(), "/metrics", host=host).status == status
    assert ask(serve(listen=f"unix:{tmp_path}/s"), "/metrics", host=host).status == 200


def test_without_a_host_only_http_1_0(serve: Serve) -> None:
    """HTTP/1.1 requires it; HTTP/1.0 and older have none, and no browser speaks them."""
    server = serve()
    assert send(server, b"GET /metrics HTTP/1.1\r\n\r\n").status == 400
    for old in (b"GET /metrics HTTP/1.0\r\n\r\n", b"GET /metrics\r\n\r\n"):
        assert send(server, old).status == 200
    assert send(server, b"GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n").status == 421


REQUESTS = {
    200: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    404: f"GET /{CANARY}?{CANARY} HTTP/1.1\r\nHost: localhost\r\nX: {CANARY}\r\n\r\n".encode(),
    405: b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nc4n4",
    400: f"GET / HTTP/1.1\r\nHost: localhost\r\n{CANARY}\r\n\r\n".encode(),
    413: b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n",
    421: f"GET /{CANARY} HTTP/1.1\r\nHost: {CANARY}\r\n\r\n".encode(),
    431: f"GET / HTTP/1.1\r\nHost: localhost\r\nX: {CANARY * 1000}\r\n\r\n".encode(),
    500: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    501: f"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {CANARY}\r\n\r\n".encode(),
}


@pytest.mark.parametrize("status", REQUESTS)
def test_every_answer_is_guarded_and_repeats_nothing(
    serve: Serve, page: SimpleNamespace, status: int
) -> None:
    """Those of waitress itself too; a 431 may be lost, as the rest of the request is not read."""
    if status == 500:
        page.render = lambda report, live: CANARY / 0  # type: ignore[operator]
    server = serve()
    reply = send(server, REQUESTS[status])
    assert reply.status == status or (reply.status == 0 and status == 431)
    assert "c4n4" not in repr(reply)
    assert "waitress" not in repr(reply).lower()
    assert "Traceback" not in repr(reply)
    if reply.status:
        assert reply.headers.keys() >= SECURITY
        assert not reply.headers.keys() & {"server", "via", "set-cookie"}
        policy = reply.headers["content-security-policy"]
        assert ("style-src" in policy) == (status == 200)
    assert ask(server, "/healthz").status == 503


GARBAGE = [
    b"",
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\0" * 20000,
    *(random.Random(seed).randbytes(3000) for seed in range(50)),
]


def say(server: StatusServer, raw: bytes) -> Reply:
    """Sends it and no more."""
    with closing(connect(server)) as client:
        try:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has heard enough
        return read(client)


def test_garbage_ends_its_own_connection_only(serve: Serve) -> None:
    server = serve()
    for raw in GARBAGE:
        assert say(server, raw).status in (0, 200, 400, 404, 413, 431, 501)
    assert_serves(server)


def test_nothing_is_written_to_stderr() -> None:
    """Neither of waitress nor of an answer that goes wrong: stderr is the journal's."""
    code = (
        "import sys, agentcheck.render as r\n"
        "sys.modules['agentcheck.render.html'] = r.html = None\n"
        "from tests.daemon.test_status_server import *\n"
        "server = StatusServer(board_with(), '127.0.0.1:0', False, HOSTS)\n"
        "server.start()\n"
        "for raw in [*GARBAGE, *REQUESTS.values()]: say(server, raw)\n"
        "assert send(server, REQUESTS[500]).status == 500\n"
        "server.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_one_request_a_connection(serve: Serve) -> None:
    """Of several that come at once the first is answered, and the connection says that it ends."""
    reply = send(serve(), b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
    assert (reply.headers["connection"], reply.body) == ("close", b"fail the-code\n")


@pytest.mark.parametrize(
    "body",
    [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    ],
)
def test_a_body_is_read_and_ignored(serve: Serve, body: str) -> None:
    server = serve()
    assert ask(server, "/healthz", more=body).status in (100, 503)
    assert_serves(server)


def test_who_sends_slowly_holds_nobody_up_and_not_for_long(serve: Serve, hasty: None) -> None:
    """More of them than threads; every byte comes in time, the whole request does not."""
    server = serve()
    clients = [connect(server) for _ in range(20)]
    for _ in range(200):
        try:
            for client in clients:
                client.sendall(b"X")
        except ConnectionError:
            break
        assert_serves(server)
        time.sleep(0.05)
    else:
        pytest.fail("they may go on for ever")
    for client in clients:
        client.close()


def test_who_reads_nothing_holds_nobody_up(serve: Serve) -> None:
    """More of them than threads, each with more to come than the kernel takes."""
    server = serve(board_with(filling="x" * 20_000_000))
    with ExitStack() as stack:
        for _ in range(6):
            client = stack.enter_context(closing(connect(server)))
            client.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
            assert_serves(server)


@pytest.fixture
def many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 8192), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_thousand_idle_connections_keep_nobody_out(serve: Serve, many_files: None) -> None:
    server = serve()
    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(closing(connect(server)))
        assert_serves(server)


def test_beyond_the_limit_they_wait_for_a_place(
    serve: Serve, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_server, "CONNECTIONS", 20)
    server = serve()
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(closing(connect(server)))
        assert_serves(server)


@pytest.mark.parametrize("listen", ["0.0.0.0:9257", "[::]:9257", "10.0.1.5:80", "[fe80::1]:80"])
def test_beyond_loopback_only_when_allowed(listen: str) -> None:
    with pytest.raises(ConfigError, match=r"allow_remote = yes") as caught:
        StatusServer(Board(60.0), listen, False, HOSTS)
    assert "\n" not in str(caught.value)
    StatusServer(Board(60.0), listen, True, HOSTS)


@pytest.mark.parametrize("listen", ["", "x:1", "127.1:80", "127.0.0.1", "1.2.3.4:", "unix:s", "::"])
def test_what_is_no_address(listen: str) -> None:
    with pytest.raises(ConfigError, match=r"\[http\] listen = .*; allowed: "):
        StatusServer(Board(60.0), listen, True, HOSTS)


@pytest.mark.parametrize("entry", ["http://x", "a b", "::1", "", "[::1", "x/y"])
def test_what_is_no_host(entry: str) -> None:
    with pytest.raises(ConfigError, match=r"\[http\] allowed_hosts: .*; allowed: "):
        application(Board(60.0), [entry], unix=False)


def test_a_listener_on_each_kind_of_loopback(serve: Serve) -> None:
    assert serve(listen="localhost:0").address[0] == "127.0.0.1"
    if Path("/proc/net/if_inet6").exists():
        assert serve(listen="[::1]:0").address[0] == "::1"


def refused(server: StatusServer, *words: str) -> None:
    with pytest.raises(AgentcheckError) as caught:
        server.start()
    assert not server.alive
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    server.close()


def test_an_address_in_use(serve: Serve, tmp_path: Path) -> None:
    for listen in ("127.0.0.1:0", f"unix:{tmp_path}/s"):
        first = serve(listen=listen)
        if listen.startswith("127"):
            listen = f"127.0.0.1:{first.address[1]}"
        refused(StatusServer(Board(60.0), listen, False, HOSTS), listen, "in use")
        assert_serves(first)


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    for name, word in (("file", "no socket"), ("no/s", "No such file"), ("a" * 200, "too long")):
        refused(StatusServer(Board(60.0), f"unix:{tmp_path}/{name}", False, HOSTS), word)
    assert (tmp_path / "file").read_text() == "precious"


def test_the_socket_file(serve: Serve, tmp_path: Path) -> None:
    """Takes the place of one that a killed daemon left, is for owner and group, goes at the end."""
    path = tmp_path / "s"
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
    server = serve(listen=f"unix:{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert_serves(server)
    closing_server = StatusServer(Board(60.0), f"unix:{tmp_path}/t", False, HOSTS)
    closing_server.start()
    closing_server.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["s"]


def test_the_socket_file_is_never_open_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even between its making and the chmod that follows, whatever the umask."""
    modes: list[int] = []
    monkeypatch.setattr(os, "chmod", lambda path, mode: modes.append(os.stat(path).st_mode))
    before = os.umask(0)
    try:
        server = StatusServer(Board(60.0), f"unix:{tmp_path}/s", False, HOSTS)
        server.start()
    finally:
        os.umask(before)
    server.close()
    assert [stat.S_IMODE(mode) for mode in modes] == [0o660]


def test_the_socket_file_of_a_successor_stays(tmp_path: Path) -> None:
    server = StatusServer(Board(60.0), f"unix:{tmp_path}/s", False, HOSTS)
    server.start()
    (tmp_path / "s").unlink()
    (tmp_path / "s").write_text("another's")
    server.close()
    assert (tmp_path / "s").read_text() == "another's"


def test_close_ends_everything_and_frees_the_address() -> None:
    before = len(os.listdir("/proc/self/fd"))
    server = StatusServer(board_with(), "127.0.0.1:0", False, HOSTS)
    assert not server.alive
    server.start()
    with closing(connect(server)) as idle:
        assert_serves(server)
        server.close()
        server.close()
        assert not server.alive
        assert idle.recv(1) == b""
    again = StatusServer(board_with(), f"127.0.0.1:{server.address[1]}", False, HOSTS)
    again.start()
    assert_serves(again)
    again.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_without_waitress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "waitress.server", None)
    server = StatusServer(Board(60.0), "127.0.0.1:0", False, HOSTS)
    refused(server, "install python3-waitress or leave [http] listen empty")


def test_waitress_is_loaded_by_start_only() -> None:
    code = (
        "import sys\n"
        "from agentcheck.daemon.status_server import StatusServer\n"
        "from agentcheck.daemon.board import Board\n"
        "StatusServer(Board(1.0), '127.0.0.1:0', False, ['localhost'])\n"
        "names = ('waitress', 'requests', 'dns', 'psutil', 'agentcheck.render.html')\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_application_reads_the_board_once_and_nothing_else() -> None:
    """An answer is made of one moment, and no request reaches what runs the rounds."""
    board, calls = board_with(), []
    shown = board.shown

    class Watched:
        def __getattr__(self, name: str) -> Any:
            calls.append(name)
            return shown

    serve = application(Watched(), HOSTS, unix=False)  # type: ignore[arg-type]
    statuses: list[str] = []

    def start_response(status: str, headers: Sequence[tuple[str, str]], *rest: Any) -> Any:
        statuses.append(status)

    for path in PATHS:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_HOST": "localhost"}
        assert b"".join(serve(environ, start_response))
    assert calls == ["shown"] * len(PATHS)
    assert len(statuses) == len(PATHS)
