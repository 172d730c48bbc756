"""A fresh connection to each address: TCP, then TLS as the agent does it; over one an HTTP request.

Fresh, because the agent's old channel lives on through a security group that was closed since
(EC2 user guide, "Security group connection tracking").
"""

from __future__ import annotations

import errno
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Optional, Union

from agentcheck import __version__
from agentcheck.model import printable
from agentcheck.observations import TOO_LONG, Certificate, Connection
from agentcheck.probes import bounded_http
from agentcheck.probes.parallel import side_by_side
from agentcheck.probes.tls_stream import TlsStream, TooLong
from agentcheck.probes.trust_store import PARTIAL_CHAIN

# A socket, or what stands for one.
Stream = Union[socket.socket, TlsStream]
Dial = Callable[[], Stream]
USER_AGENT = f"agentcheck/{__version__}"
# An answer to the plain request only adds a clock: it is not worth waiting for.
HTTP_TIMEOUT = 1.5
# One with a hundred names has 5 KiB; the thousands of names of a larger one are not worth the room.
MAX_CERTIFICATE = 16384
# X509_V_FLAG_NO_CHECK_TIME of OpenSSL: to read the dates of a certificate that is out of date.
NO_CHECK_TIME = 0x200000

# The well-known prefix, which the VPC's resolver makes AAAA records with (VPC user guide, "DNS64").
NAT64 = ipaddress.ip_network("64:ff9b::/96")

_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
# `ip route add prohibit` is EACCES, `blackhole` EINVAL; a local filter is EPERM. EADDRNOTAVAIL:
# no address of that family on this host.
_LOCAL = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

# X509_V_ERR_* of OpenSSL (x509_vfy.h).
_EXPIRED, _NOT_YET_VALID, _WRONG_NAME, _WRONG_IP = 10, 9, 62, 64


def scope_of(address: str, vpc_cidrs: Sequence[str]) -> str:
    """`vpc` when inside the VPC's networks, whatever their range, else `private` or `public`.

    An address of NAT64 (RFC 6052) counts as the IPv4 address inside.
    """
    ip = ipaddress.ip_address(address)
    if ip in NAT64:
        ip = ipaddress.ip_address(int(ip) & 0xFFFFFFFF)
    if _within(ip, vpc_cidrs):
        return "vpc"
    return "public" if ip.is_global else "private"


def within(address: str, networks: Sequence[str]) -> bool:
    """Whether the address lies in one of the networks."""
    return _within(ipaddress.ip_address(address), networks)


def _within(
    ip: Union[ipaddress.IPv4Address, ipaddress.IPv6Address], networks: Sequence[str]
) -> bool:
    return any(ip in ipaddress.ip_network(network) for network in networks)


def probe_all(
    host: str,
    port: int,
    places: Sequence[Connection],
    context: ssl.SSLContext,
    timeout: float,
) -> tuple[Connection, ...]:
    """Connects to every address side by side. `places` carry address and scope, no results yet.

    TLS takes its own `timeout` after TCP's. Never raises for what the network does.
    """
    # TCP, TLS, two looks at the certificate, HTTP: each is bounded by itself.
    limit = 4 * timeout + HTTP_TIMEOUT + 0.5
    # All addresses are one service with one clock: the first that is through asks for it.
    clock = threading.Semaphore(1)
    done = side_by_side(
        lambda place: _probe(host, port, place, context, timeout, clock), places, "connect", limit
    )
    return tuple(d or replace(p, tcp="timeout") for d, p in zip(done, places))


def _probe(
    host: str,
    port: int,
    place: Connection,
    context: ssl.SSLContext,
    timeout: float,
    clock: threading.Semaphore,
) -> Connection:
    def dial() -> socket.socket:
        return socket.create_connection((place.address, port), timeout)

    started = time.monotonic()
    try:
        plain = dial()
    except OSError as error:
        return replace(
            place, tcp=tcp_state(error), connect_s=since(started), error=error_text(error, timeout)
        )
    seen = replace(place, tcp="ok", connect_s=since(started))
    return try_tls(host, dial, plain, seen, context, timeout, clock)


def since(started: float) -> float:
    return round(time.monotonic() - started, 4)


def tcp_state(error: OSError) -> str:
    if isinstance(error, (socket.timeout, TimeoutError)) or error.errno == errno.ETIMEDOUT:
        return "timeout"
    if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
        return "refused"
    if error.errno in _NO_ROUTE:
        return "no-route"
    return "prohibited" if error.errno in _LOCAL else "failed"


def error_text(error: OSError, timeout: float) -> str:
    if tcp_state(error) == "timeout":
        return f"no answer within {timeout:g} s"
    name = errno.errorcode.get(error.errno or 0)
    return f"{error.strerror} ({name})" if name else type(error).__name__


def try_tls(
    host: str,
    dial: Dial,
    plain: Stream,
    seen: Connection,
    context: ssl.SSLContext,
    timeout: float,
    clock: threading.Semaphore,
) -> Connection:
    """TLS with `host` over a connection that is there, which is closed in the end.

    `dial` makes another one like it: a certificate that does not verify is looked at again. Who
    gets hold of `clock` also asks the server for its time.
    """
    started = time.monotonic()
    try:
        with closing(secured(host, plain, context, timeout)) as secure:
            certificate = _certificate(secure)
            seen = replace(seen, tls="ok", tls_s=since(started), certificate=certificate)
            if clock.acquire(blocking=False):
                seen = replace(seen, clock_offset_s=_clock_offset(secure, host))
            return seen
    except ssl.SSLCertVerificationError as error:
        failed = replace(seen, tls_s=since(started), error=_openssl_text(error))
        certificate, offset = _look_again(host, dial, timeout)
        state = _verify_state(error, certificate, host)
        return replace(failed, tls=state, certificate=certificate, clock_offset_s=offset)
    except OSError as error:
        state, text = _handshake_trouble(error, timeout)
        return replace(seen, tls=state, tls_s=since(started), error=text)


def secured(host: str, plain: Stream, context: ssl.SSLContext, timeout: float) -> TlsStream:
    """TLS over a connection, be it TLS itself (a proxy's).

    Raises OSError, and then the connection is closed.
    """
    try:
        return TlsStream(plain, context, host, timeout)
    except BaseException:
        plain.close()
        raise


def _verify_state(
    error: ssl.SSLCertVerificationError, certificate: Optional[Certificate], host: str
) -> str:
    """Dates, then names, then the issuer: Go's order (crypto/x509/verify.go)."""
    now = time.time()
    if error.verify_code == _EXPIRED or (certificate and certificate.not_after < now):
        return "expired"
    if error.verify_code == _NOT_YET_VALID or (certificate and certificate.not_before > now):
        return "not-yet-valid"
    if error.verify_code in (_WRONG_NAME, _WRONG_IP):
        return "wrong-name"
    if certificate and not any(_matches(name, host) for name in certificate.names):
        return "wrong-name"
    return "untrusted"


def _matches(name: str, host: str) -> bool:
    """RFC 6125: a wildcard stands for exactly one label, the leftmost."""
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host


def _handshake_trouble(error: OSError, timeout: float) -> tuple[str, str]:
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "hangs", f"TLS handshake not answered within {timeout:g} s"
    if isinstance(error, TooLong):
        return TOO_LONG, f"the TLS handshake is {error}"
    if isinstance(error, (ssl.SSLEOFError, ConnectionError, BrokenPipeError)):
        return "cut", "connection cut during the TLS handshake"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "SSL error"
        if reason in (
            "WRONG_VERSION_NUMBER",
            "HTTP_REQUEST",
            "UNKNOWN_PROTOCOL",
            "PACKET_LENGTH_TOO_LONG",
            "RECORD_LAYER_FAILURE",
        ):
            return "not-tls", f"the answer is not TLS ({reason})"
        if "EOF" in reason:
            return "cut", "connection cut during the TLS handshake"
        return "failed", f"TLS handshake failed ({reason})"
    return "failed", f"TLS handshake failed ({type(error).__name__})"


def _openssl_text(error: ssl.SSLCertVerificationError) -> str:
    return str(error.verify_message or error.reason or "certificate verification failed")[:200]


def _look_again(
    host: str, dial: Dial, timeout: float
) -> tuple[Optional[Certificate], Optional[float]]:
    """The certificate that did not verify, and the server's clock. None where they cannot be had.

    The ssl module decodes only a certificate that verifies. So the first extra connection
    fetches it unverified, and the second trusts exactly this certificate, whatever its dates and
    names. Nothing secret is sent over either.
    """
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    offset = None
    try:
        with closing(secured(host, dial(), unverified, timeout)) as secure:
            der = secure.getpeercert(binary_form=True)
            offset = _clock_offset(secure, host)
        if len(der or b"") > MAX_CERTIFICATE:
            return None, offset
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_flags |= PARTIAL_CHAIN | NO_CHECK_TIME
        trusting.load_verify_locations(cadata=der)
        with closing(secured(host, dial(), trusting, timeout)) as secure:
            return _certificate(secure), offset
    except (OSError, ValueError, TypeError):
        return None, offset


def _certificate(secure: TlsStream) -> Optional[Certificate]:
    """The verified certificate; None for one that cannot be read (names in no Unicode)."""
    try:
        if len(secure.getpeercert(binary_form=True) or b"") > MAX_CERTIFICATE:
            return None
        return decode(secure.getpeercert())
    except (OSError, ValueError):
        return None


def decode(peer: Any) -> Optional[Certificate]:
    """From the dict of SSLSocket.getpeercert()."""
    if not peer:
        return None
    try:
        names = [value for kind, value in peer.get("subjectAltName", ()) if kind == "DNS"]
        return Certificate(
            _name(peer.get("subject", ())),
            _name(peer.get("issuer", ())),
            tuple(printable(name)[:255] for name in names[:50]),
            ssl.cert_time_to_seconds(peer["notBefore"]),
            ssl.cert_time_to_seconds(peer["notAfter"]),
        )
    except (KeyError, ValueError, TypeError):
        return None


def _name(parts: Any) -> str:
    """Organization and common name, which is what people know an issuer by."""
    values = {key: value for part in parts for key, value in part}
    wanted = [values.get(key, "") for key in ("organizationName", "commonName")]
    text = ", ".join(dict.fromkeys(value for value in wanted if value))
    return printable(text)[:120] or "(no name)"


def _clock_offset(secure: TlsStream, host: str) -> Optional[float]:
    """The server's clock minus ours, by the Date of its answer to one unsigned request."""
    headers = {"Host": host, "User-Agent": USER_AGENT, "Connection": "close"}
    try:
        return bounded_http.ask(secure, "HEAD", "/", headers, seconds=HTTP_TIMEOUT).clock_offset_s
    except (OSError, http.client.HTTPException):
        return None
