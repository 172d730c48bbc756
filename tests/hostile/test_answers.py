"""Whatever bytes a peer answers with, the probes take them for an answer or for none."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentcheck.observations import Connection, Imds
from agentcheck.probes import bounded_http, connection, imds, imds_http, tunnel
from agentcheck.probes.imds_http import Answer
from agentcheck.probes.systems_manager import read_answer
from agentcheck.probes.tls_stream import MAX_HANDSHAKE
from tests.hostile.rubbish import HTTP, TEXT, Wire, examples, json_like, pieces

SECRET = "CanarySecretKey0000000000000000000EXAMPL"
PARTS = st.sampled_from((1, 3, 1 << 16))


@examples(300)
@given(HTTP, PARTS)
@example(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 65000 + b"\r\n") * 99 + b"\r\n", 1 << 16)
@example(b"HTTP/1.1 100 Continue\r\n\r\n" * 99999, 1 << 16)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\nx", 1)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx", 1)
def test_an_http_answer_is_whole_and_short_or_none(said: bytes, part: int) -> None:
    wire = Wire(said, part)
    try:
        found = bounded_http.ask(wire, "GET", "/", {"Host": "x"}, seconds=9)
    except (OSError, http.client.HTTPException):
        return
    finally:
        assert wire.given <= bounded_http.MAX_ANSWER
    assert 100 <= found.status <= 999
    assert len(found.body) <= bounded_http.MAX_ANSWER


@pytest.fixture(scope="module")
def metadata_says() -> Any:
    """A service on the loopback that gives one connection the bytes that it is called with."""
    said = [b""]
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(imds_http, "PORT", server.getsockname()[1])
        patch.setattr(imds_http, "BUSY_PAUSE", 0.0)

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    one.recv(65536)
                    one.sendall(said[0])

        threading.Thread(target=serve, daemon=True).start()
        yield lambda text: said.__setitem__(0, text)


@examples(100)
@given(said=HTTP)
def test_whatever_the_metadata_service_sends_is_told_apart(metadata_says: Any, said: bytes) -> None:
    metadata_says(said)
    found = imds_http.request("127.0.0.1", "GET", "/", {})
    assert found.status >= -1
    assert found.error or found.status > 0
    assert (found.reason in ("silent", "no-route", "timeout", "refused")) is (found.status == 0)


ANSWERS = st.builds(
    Answer,
    st.sampled_from((200, 200, 200, 200, 404, 403, 500, 0, -1)),
    st.one_of(
        TEXT,
        json_like(
            "Code", "Message", "AccessKeyId", "SecretAccessKey", "Token", "Expiration", "region"
        ).map(json.dumps),
        st.sampled_from(
            (
                "i-0abc1234def567890",
                "us-east-1",
                "0e:49:61:0f:c3:11",
                "app-role",
                "10.0.0.0/16\n2600::/56",
                '{"Code": "Success", "AccessKeyId": "A", "SecretAccessKey": "B", "Token": "C"}',
                "255.255.255.255/32",
            )
        ),
    ),
    st.none() | st.floats(),
    error=st.just("it said so"),
)


@examples(50)
@given(st.data())
def test_whatever_the_metadata_is_it_is_read(data: st.DataObject) -> None:
    """And nothing of it can steer a terminal."""
    usual = {
        "meta-data/instance-id": Answer(200, "i-0abc1234def567890"),
        "meta-data/placement/region": Answer(200, "us-east-1"),
        "meta-data/mac": Answer(200, "0e:49:61:0f:c3:11"),
        imds.CREDENTIALS: Answer(200, "app-role"),
    }
    first = {path: data.draw(ANSWERS) for path in imds.FIRST_WAVE if path not in usual}
    odd = data.draw(st.sampled_from((None, *usual)))
    first.update({path: data.draw(ANSWERS) if path == odd else usual[path] for path in usual})
    later = data.draw(st.lists(ANSWERS, min_size=9, max_size=9))
    found = imds._read(lambda path: first.get(path) or later[len(path) % 9], Imds("ok"), 0.0)
    assert found.imds.state in ("ok", "unreachable", "error", "not-genuine")
    role = found.role
    words = [role.name, role.code, role.message, role.access_key_prefix] if role else []
    groups = found.imds.instance.security_groups
    assert all(text.isprintable() for text in (*words, *groups, found.imds.instance.instance_id))


CODES = (
    "AccessDeniedException",
    "InvalidSignatureException",
    "#\x1b[31m",
    "Signature expired: 20261125T030000Z is now earlier than 20261325T035500Z (99999999T999999Z",
    "User: arn is not authorized to perform: ssm:x because \x1b[31m",
)


@examples(200)
@given(
    st.integers(100, 999),
    st.one_of(
        st.fixed_dictionaries(
            {}, optional={k: st.sampled_from(CODES) | TEXT for k in ("__type", "message")}
        ),
        json_like("__type", "message", "Message", "Associations"),
    ),
    TEXT,
)
@example(
    400,
    {
        "__type": "InvalidSignatureException",
        "message": "Signature expired: 99999999T999999Z 99999999T999999Z 99999999T999999Z",
    },
    "",
)
def test_whatever_the_service_answers_is_read(status: int, document: Any, kind: str) -> None:
    found = read_answer(status, json.dumps(document).encode(), None, kind)
    assert found.state
    assert f"{found.code}{found.text}{found.action}{found.policy}".isprintable()


@examples(200)
@given(HTTP, PARTS)
@example(b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n", 1 << 16)
@example(b"HTTP/1.1 2\x1b[31m OK\r\n\r\n", 1)
def test_an_answer_to_connect_is_success_or_a_refusal(said: bytes, part: int) -> None:
    """And nothing behind its head is taken: that is TLS."""
    wire, refused = Wire(said, part), None
    try:
        tunnel._read_answer(wire)  # type: ignore[arg-type]
    except tunnel.Refused as error:
        refused = error
    assert wire.given <= tunnel.MAX_ANSWER + 2
    if refused is None:
        assert said[: wire.given].endswith(b"\r\n\r\n")
        assert said.startswith(b"HTTP/")
    else:
        assert refused.state in ("denied", "not-proxy")
        assert refused.status is None or 100 <= refused.status <= 999
        assert str(refused).isprintable()


TLS = pieces(
    b"\x16\x03\x03\x00\x30",
    b"\x16\x03\x03\x40\x00",
    b"\x02\x00\x00\x2c\x03\x03",
    b"\x0b\xff\xff\xff",
    b"\x15\x03\x03\x00\x02\x01\x5a",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x14\x03\x03\x00\x01\x01",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    bytes(20000),
)


@examples(200)
@given(TLS, PARTS)
@example(b"\x16\x03\x03\x40\x00\x0b\x01\xff\xff" + bytes(16380), 1 << 16)
def test_a_handshake_with_rubbish_fails_as_one(said: bytes, part: int) -> None:
    wires = []

    def dial() -> Any:
        wires.append(Wire(said, part))
        return wires[-1]

    seen = Connection("10.0.1.10", "vpc", False, "ok")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found = connection.try_tls("x", dial, dial(), seen, context, 9.0, threading.Semaphore(1))
    assert found.tls in ("not-tls", "cut", "failed", "too-long")
    assert found.error.isprintable()
    assert all(wire.closed and wire.given <= MAX_HANDSHAKE for wire in wires)
