"""Endpoints that spoil TLS at every step, show monstrous certificates and answer rubbish inside."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from tests.hostile import certificates, http
from tests.hostile.http import ESCAPES, Speech, body
from tests.hostile.measure import Case, attack_all, wrong
from tests.hostile.peers import MIB, answer, handshake, secure, slow_handshake, speak
from tests.vpc import Vpc, default_command
from tests.vpc import certificates as genuine
from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint

pytestmark = pytest.mark.vpc

Stranger = Callable[[socket.socket], None]
FAILED = ("tls-failed", "could-not-tell")
UNSURE = ("could-not-tell",)
# By a genuine certificate it is Amazon's; what the answers leave open is said in a note.
HEALTHY = ("healthy",)
RECORD = b"\x16\x03\x03\x40\x00"
WELL = partial(answer, *body(b'{"Associations": []}'))
# The rest of them are read by the same code as at the metadata service.
NO_ANSWERS = (
    "nothing",
    "no HTTP",
    "a body that breaks off",
    "a head that drips",
    "a body that drips",
    "100 without end",
    "a body without end",
    "a bomb",
    "a bomb in bombs",
    "a redirect with a bomb",
    "no Unicode",
    "lists in lists",
)


def at(stranger: Stranger, addresses: Sequence[str] = (*SSM, *SSMMESSAGES)) -> dict[str, object]:
    return {"strangers": {(address, 443, "tcp"): stranger for address in addresses}}


def crowd(stranger: Stranger) -> dict[str, object]:
    """At every address that is tried of either service."""
    places = [tuple(f"10.0.{net}.{last}" for last in range(20, 36)) for net in (1, 2)]
    found = tuple(Endpoint(service, there) for service, there in zip(BOTH, places))
    return {"endpoints": found, **at(stranger, [*places[0], *places[1]])}


def in_tls() -> dict[str, Case]:
    """What goes wrong before TLS stands."""
    good = str(genuine.folder() / "ok.pem")
    said: dict[str, tuple[Stranger, tuple[str, ...]]] = {
        "nothing": (partial(speak, (), ()), FAILED),
        "no TLS": (partial(speak, (b"SSH-2.0-OpenSSH_9.2p1\r\n", None), ()), FAILED),
        "a fatal alert": (partial(speak, (b"\x15\x03\x03\x00\x02\x02\x28",), ()), FAILED),
        "alerts without end": (partial(speak, (), (b"\x15\x03\x03\x00\x02\x01\x5a",)), FAILED),
        "changes without end": (partial(speak, (), (b"\x14\x03\x03\x00\x01\x01",)), FAILED),
        "a giant record": (partial(speak, (b"\x16\x03\x03\xff\xff",), (MIB,)), FAILED),
        "a giant message": (
            partial(speak, (RECORD + b"\x02\xff\xff\xff",), (b"\0" * 16380 + RECORD + b"\0" * 4,)),
            FAILED,
        ),
        "half of a handshake": (partial(handshake, good, 300, (), ()), FAILED),
        "half, then silence": (partial(handshake, good, 300, (None,), ()), FAILED),
        "half, then rubbish": (partial(handshake, good, 127, (b"\0\xff" * 500,), ()), FAILED),
        "a handshake that drips": (partial(slow_handshake, good), FAILED),
        "an end after the handshake": (partial(handshake, good, 9999, (), ()), HEALTHY),
        "silence after the handshake": (partial(handshake, good, 9999, (None,), ()), HEALTHY),
    }
    return {name: Case(at(stranger), may_say) for name, (stranger, may_say) in said.items()}


def certified() -> dict[str, Case]:
    folder = certificates.folder()
    wrong_name = ("tls-wrong-certificate",)
    said = {
        "long-chain": UNSURE,
        "many-names": UNSURE,
        "many-names-untrusted": UNSURE,
        "long-names": UNSURE,
        "no-unicode": HEALTHY,
        "odd": wrong_name,
        "odd-trusted": wrong_name,
        "odd-no-unicode": ("tls-intercepted",),
        "nameless": wrong_name,
    }
    found = {
        kind: Case(at(partial(secure, str(folder / f"{kind}.pem"), WELL)), may_say)
        for kind, may_say in said.items()
    }
    for kind in ("many-names", "many-names-untrusted", "long-chain", "odd"):
        stranger = partial(secure, str(folder / f"{kind}.pem"), WELL)
        # The strangers themselves are slow with so much to say.
        found[f"{kind} everywhere"] = Case(crowd(stranger), (*said[kind], "tls-failed"))
    return found


def inside() -> dict[str, Case]:
    """What is said in good TLS, to the plain request and to the signed call."""
    good = str(genuine.folder() / "ok.pem")
    bad = b"400 Bad Request"
    said: dict[str, tuple[Speech, tuple[str, ...]]] = {
        **{name: (http.NO_ANSWERS[name], HEALTHY) for name in NO_ANSWERS},
        "JSON that breaks off": (body(b'{"Associations": ['), HEALTHY),
        "a giant number": (body(b'{"Associations": ' + b"9" * 60000 + b"}"), HEALTHY),
        "odd types": (body(b'{"__type": ["x"], "message": {"a": 1}}', status=bad), HEALTHY),
        "a type with escapes": (
            body(json.dumps({"__type": ESCAPES, "message": ESCAPES}).encode(), status=bad),
            HEALTHY,
        ),
        "a denial with escapes": (
            body(
                json.dumps(
                    {
                        "__type": "AccessDeniedException",
                        "message": f"User: {ESCAPES} is not authorized to perform: {ESCAPES}",
                    }
                ).encode(),
                status=bad,
            ),
            ("role-lacks-permission",),
        ),
        "a date before time": (
            body(b'{"Associations": []}', b"Date: Mon, 01 Jan 0001 00:00:00 +2359"),
            HEALTHY,
        ),
        "a date after time": (
            body(b'{"Associations": []}', b"Date: Fri, 31 Dec 9999 23:59:59 -2359"),
            HEALTHY,
        ),
    }
    found = {}
    for name, (speech, may_say) in said.items():
        found[name] = Case(at(partial(secure, good, partial(answer, *speech))), may_say)
    endless = partial(secure, good, partial(answer, *http.NO_ANSWERS["headers of 6 MiB"]))
    return {**found, "headers of 6 MiB everywhere": Case(crowd(endless), HEALTHY)}


def test_whatever_an_endpoint_does_with_tls_a_report_is_made() -> None:
    assert wrong(in_tls(), attack_all(in_tls())) == {}


def test_whatever_certificate_an_endpoint_shows_a_report_is_made() -> None:
    assert wrong(certified(), attack_all(certified())) == {}


@pytest.mark.parametrize("form", ["text", "html", "nagios"])
def test_no_format_lets_a_certificate_speak(form: str) -> None:
    stranger = partial(secure, str(certificates.folder() / "odd.pem"), WELL)
    with Vpc("healthy") as vpc:
        vpc.update(**at(stranger))
        printed = vpc.run(default_command(vpc.scenario, "--format", form)).stdout
    assert "odd" in printed
    assert printed.replace("\n", "").isprintable()
    assert "${x}" in printed
    assert form != "html" or "[31m?<b>" not in printed


def test_whatever_an_endpoint_says_a_report_is_made() -> None:
    """Where the signed call gets no answer that is one, a note says so."""
    cases, found = inside(), attack_all(inside())
    assert wrong(cases, found) == {}
    for name in NO_ANSWERS:
        notes = [note["code"] for note in found[name].report["notes"]]
        assert notes == ["signed-call-unanswered"], name
