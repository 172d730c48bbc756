"""Names: getaddrinfo, which is what the agent sees, and each configured server by itself.

getaddrinfo alone cannot tell a silent server from one that refuses (both are EAI_AGAIN), nor
which server it was.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Optional

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from agentcheck.observations import Name, ServerAnswer
from agentcheck.probes.deadline import left
from agentcheck.probes.parallel import Task, side_by_side

# glibc itself gives up on a server after 5 s (resolv.conf(5)); a round must have time for what
# comes after.
LIMIT = 5.1
# UDP loses packets: asked again after this, while the first answer is still waited for.
ASK_AGAIN = 2.0
# The VPC's resolver is a hop away; what takes longer is no comparison.
ONCE = 1.5
# An answer of the system that takes longer may have waited for a dead server: then it is worth
# finding out which. The shortest time-out that resolv.conf allows is 1 s.
SLOW = 0.8
MAX_ADDRESSES = 512
PORT = 53
# Genuine answers have 512 bytes; a long one of pointers to pointers takes megabytes once read.
MAX_ANSWER = 4096

NEGATIVE = ("nxdomain", "no-address")
_SAID = ("ok", "nxdomain", "no-address", "timeout")
_NO_NAME = {socket.EAI_NONAME: "nxdomain", getattr(socket, "EAI_NODATA", -5): "no-address"}


def resolve(host: str, nameservers: Sequence[str], pinned: Sequence[str] = ()) -> Name:
    """Resolves `host` both ways at once, within `LIMIT` seconds. Never raises.

    `nameservers` is empty where they are not known: then the C library is not made to read that
    configuration, as it would to the end, in memory. `pinned` is what the hosts file says: then the
    servers' answer is waited for, to compare.
    """
    if not nameservers:
        return Name(host, "failed", (), "resolv.conf cannot be read")
    started = time.monotonic()
    direct = Task(
        lambda: side_by_side(lambda server: _ask(server, host), nameservers, "dns", LIMIT), "dns"
    )
    state, addresses = _ask_system(host, started)
    if state not in _SAID and time.monotonic() - started < LIMIT - ASK_AGAIN:
        state, addresses = _ask_system(host, started)  # a packet may have been lost
    # A quick answer of the system needs no explanation by the servers.
    quick = bool(addresses) and not pinned and time.monotonic() - started < SLOW
    remaining = started + LIMIT + 0.1 - time.monotonic()
    answers: Sequence[ServerAnswer] = ()
    if direct.finished(min(remaining, 0.3) if quick else remaining):
        answers = tuple(
            answer or ServerAnswer(server, "timeout")
            for server, answer in zip(nameservers, direct.result())
        )
    name = judge(host, state, addresses, answers, time.monotonic() - started)
    return replace(name, pinned=tuple(p for p in pinned if p in addresses))


def _ask_system(host: str, started: float) -> tuple[str, Sequence[str]]:
    task = Task(lambda: _getaddrinfo(host), "getaddrinfo")
    if task.finished(started + LIMIT - time.monotonic()):
        return task.result()
    return "timeout", ()


def judge(
    host: str,
    system: str,
    addresses: Sequence[str],
    answers: Sequence[ServerAnswer],
    duration: float,
) -> Name:
    """Joins what the system and the servers said. The system's own answer counts first.

    A server that answers later than resolv.conf lets the system wait is none to the agent either.
    """
    said = {answer.state for answer in answers} - {"timeout"}
    if addresses:
        state = "ok"
    elif system in NEGATIVE and said and said <= {"ok", "failed"}:
        # None of the servers says so: of an answer that it cannot read glibc makes the same.
        state = "failed"
    elif system in NEGATIVE:
        state = system
        # glibc says EAI_NONAME for both: the servers know which it was.
        if system == "nxdomain" and any(answer.state == "no-address" for answer in answers):
            state = "no-address"
    else:
        # No answer of the system in time. It would have gone on to the next server.
        answered = [answer for answer in answers if answer.state in ("ok", *NEGATIVE)]
        if answered and system == "timeout":
            state, addresses = answered[0].state, answered[0].addresses
        elif any(answer.state in ("servfail", "refused") for answer in answers):
            state = next(a.state for a in answers if a.state in ("servfail", "refused"))
        elif answered or system == "timeout" or {a.state for a in answers} == {"timeout"}:
            state = "unreachable"
        else:
            state = "failed"
    return Name(host, state, tuple(addresses), system, tuple(answers), round(duration, 4))


def _getaddrinfo(host: str) -> tuple[str, Sequence[str]]:
    """`(state, addresses)`: ok, nxdomain, no-address, or the error's text."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return _NO_NAME.get(error.errno or 0, str(error.strerror)), ()
    except (OSError, UnicodeError) as error:
        return str(error), ()
    addresses = dict.fromkeys(str(entry[4][0]).split("%")[0] for entry in found)
    return "ok", tuple(addresses)[:MAX_ADDRESSES]


def _ask(server: str, host: str, once: bool = False) -> ServerAnswer:
    """A and AAAA from one server, over UDP and then TCP where the answer is too long."""
    ask = (
        (lambda kind: _exchange(server, host, kind, ONCE))
        if once
        else partial(_query, server, host)
    )
    found: list[str] = []
    states = []
    kinds = ("A", "AAAA")
    answers = side_by_side(ask, kinds, "dns", LIMIT)
    for kind, answer in zip(kinds, answers):
        state, addresses, error = answer or ("timeout", (), f"{kind}: no answer")
        found += addresses
        states.append((state, error))
    if found:
        return ServerAnswer(server, "ok", tuple(found)[:MAX_ADDRESSES])
    # What A met counts: a resolver that mishandles AAAA alone still serves.
    state, error = states[0]
    return ServerAnswer(server, "no-address" if state == "ok" else state, error=error)


def ask_once(servers: Sequence[str], host: str) -> Optional[ServerAnswer]:
    """One question to each of the servers, which are one and the same; None when all are silent.

    For the VPC's own resolver: link-local traffic is limited to 1024 packets a second for each
    network interface and shared with IMDS (VPC user guide, "DNS quotas").
    """
    found = side_by_side(lambda server: _ask(server, host, once=True), servers, "dns", ONCE + 0.2)
    answers = [answer for answer in found if answer is not None and answer.state != "timeout"]
    return next((a for a in answers if a.state == "ok"), answers[0] if answers else None)


def _query(server: str, host: str, kind: str) -> tuple[str, Sequence[str], str]:
    """Asks, and asks again beside it when there is no answer soon; the first answer counts.

    One that cannot be reached at once may be starting anew: it has as long as a silent one.
    """
    begun = time.monotonic()
    first = Task(lambda: _exchange(server, host, kind, LIMIT - 0.1), "dns")
    if first.finished(ASK_AGAIN) and first.result()[0] != "timeout":
        return first.result()
    time.sleep(max(0.0, begun + ASK_AGAIN - time.monotonic()))
    second = Task(lambda: _exchange(server, host, kind, LIMIT - ASK_AGAIN - 0.1), "dns")
    end = time.monotonic() + LIMIT - ASK_AGAIN
    while time.monotonic() < end:
        for task in (first, second):
            if task.finished(0.02) and task.result()[0] != "timeout":
                return task.result()
        if first.finished(0) and second.finished(0):
            break
    return "timeout", (), "no answer"


def _exchange(server: str, host: str, kind: str, seconds: float) -> tuple[str, Sequence[str], str]:
    """`(state, addresses, error)` of one question over UDP, or TCP for a long answer."""
    try:
        request = dns.message.make_query(host, kind)
        answer = _converse(server, request, time.monotonic() + seconds)
    except (socket.timeout, TimeoutError):
        return "timeout", (), "no answer"
    except OSError as problem:
        # It cannot even be sent to: as silent as a server that drops.
        return "timeout", (), problem.strerror or "cannot be sent to"
    except Exception as problem:  # noqa: BLE001 - what the parser raises depends on its version
        return "failed", (), type(problem).__name__
    code = answer.rcode()
    if code == dns.rcode.NXDOMAIN:
        return "nxdomain", (), ""
    if code == dns.rcode.NOERROR:
        addresses = [
            str(item.address)
            for record in answer.answer
            if record.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
            for item in record
        ]
        return "ok", addresses, ""
    state = "servfail" if code == dns.rcode.SERVFAIL else "refused"
    return state, (), dns.rcode.to_text(code)


def _converse(server: str, request: dns.message.Message, end: float) -> dns.message.Message:
    """The server's answer over UDP, or TCP for a long one, until `end`. Raises whatever."""
    asked = request.to_wire()
    found = socket.getaddrinfo(server, PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    family, place = found[0][0], found[0][4]
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.connect(place)  # so the kernel drops what comes from elsewhere
        udp.send(asked)
        while True:
            udp.settimeout(left(end))
            wire = udp.recv(MAX_ANSWER + 1)
            if wire[:2] == asked[:2] and len(wire) > 3:
                if wire[2] & 0x02:  # TC, RFC 1035, 4.1.1
                    break
                answer = _parsed(wire)
                if request.is_response(answer):
                    return answer
    with socket.socket(family, socket.SOCK_STREAM) as tcp:
        tcp.settimeout(left(end))
        tcp.connect(place)
        tcp.sendall(struct.pack("!H", len(asked)) + asked)
        size = struct.unpack("!H", _exactly(tcp, 2, end))[0]
        return _parsed(_exactly(tcp, size, end))


def _parsed(wire: bytes) -> dns.message.Message:
    if len(wire) > MAX_ANSWER:
        raise dns.exception.TooBig
    return dns.message.from_wire(wire)


def _exactly(tcp: socket.socket, size: int, end: float) -> bytes:
    found = b""
    while len(found) < size:
        tcp.settimeout(left(end))
        part = tcp.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found
