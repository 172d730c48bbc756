"""Endpoints, their names, and fresh connections to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

SSM = "ssm"
SSMMESSAGES = "ssmmessages"
EC2MESSAGES = "ec2messages"
# A handshake of which we read no more.
TOO_LONG = "too-long"
CORE_SERVICES = (SSM, SSMMESSAGES, EC2MESSAGES)


@dataclass(frozen=True)
class Endpoint:
    """Where the agent goes for one service, and why it needs it; `pinned` is the file that says
    so, "" for a name made of Region and domain."""

    service: str
    host: str
    port: int
    required: bool
    why: str
    pinned: str = ""


@dataclass(frozen=True)
class ServerAnswer:
    """What one configured DNS server said: `state` ok, nxdomain, no-address, servfail, refused,
    timeout, failed."""

    server: str
    state: str
    addresses: Sequence[str] = ()
    error: str = ""


@dataclass(frozen=True)
class Name:
    """A name's resolution. `state`: ok, nxdomain, no-address, servfail, refused, unreachable,
    failed; `system` what getaddrinfo said (ok, timeout, or its error); `pinned` those of the
    addresses that come from the hosts file."""

    host: str
    state: str
    addresses: Sequence[str] = ()
    system: str = ""
    servers: Sequence[ServerAnswer] = ()
    duration_s: float = 0.0
    pinned: Sequence[str] = ()

    @property
    def in_dns(self) -> Optional[ServerAnswer]:
        """What DNS itself says: the first server that answers; None when nobody was asked."""
        said = ("ok", "nxdomain", "no-address")
        return next((answer for answer in self.servers if answer.state in said), None)

    @property
    def overridden(self) -> bool:
        """Whether the hosts file gives an address that DNS does not."""
        said = self.in_dns
        return said is not None and not set(self.pinned) <= set(said.addresses)

    @property
    def silent_servers(self) -> Sequence[str]:
        return tuple(answer.server for answer in self.servers if answer.state == "timeout")

    @property
    def silent_before_answer(self) -> Sequence[str]:
        """Silent servers that stand before one that answers: every look-up waits for them."""
        silent = [answer.state == "timeout" for answer in self.servers]
        if False not in silent:
            return ()
        return tuple(answer.server for answer in self.servers[: silent.index(False)])


@dataclass(frozen=True)
class Certificate:
    """The certificate a server showed. Times are epoch seconds."""

    subject: str
    issuer: str
    names: Sequence[str]
    not_before: float
    not_after: float


@dataclass(frozen=True)
class Connection:
    """A fresh connection to one address of an endpoint.

    `tcp`: ok, timeout, refused, no-route, prohibited. `tls`: ok, untrusted, wrong-name, expired,
    not-yet-valid, not-tls, hangs, cut, failed, too-long (for us: it may be good); None when not
    tried.
    """

    address: str
    scope: str
    same_subnet: bool
    tcp: str
    connect_s: float = 0.0
    tls: Optional[str] = None
    tls_s: Optional[float] = None
    error: str = ""
    certificate: Optional[Certificate] = None
    clock_offset_s: Optional[float] = None

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.address


@dataclass(frozen=True)
class Path:
    """All fresh connections to one endpoint; `left_out` addresses were over the cap."""

    connections: Sequence[Connection]
    left_out: int = 0

    @property
    def reached(self) -> Sequence[Connection]:
        return tuple(c for c in self.connections if c.tcp == "ok")

    @property
    def failure(self) -> Optional[str]:
        """The kind of TCP failure that decides when no address was reached.

        A family without a route says nothing where the other has one; otherwise IPv4 counts. A
        refusal is an answer and so beats silence; prohibited and failed come from this host.
        """
        if self.reached or not self.connections:
            return None
        families = [
            {c.tcp for c in self.connections if c.is_ipv6 is ipv6} for ipv6 in (False, True)
        ]
        left = {"refused", "timeout"}  # what says that a packet left this host
        kinds = next((found for found in families if found & left), families[0] or families[1])
        order = ("refused", "timeout", "no-route", "prohibited", "failed")
        return next(kind for kind in order if kind in kinds)

    @property
    def partly_blocked(self) -> Sequence[Connection]:
        """The addresses that do not serve while others of the same family do."""
        served = {c.is_ipv6 for c in self.connections if c.tls == "ok"}
        return tuple(c for c in self.connections if c.tls != "ok" and c.is_ipv6 in served)

    @property
    def partly_silent(self) -> Sequence[Connection]:
        """Those of the partly blocked that not even TCP reached."""
        return tuple(c for c in self.partly_blocked if c.tcp != "ok")

    @property
    def usable(self) -> bool:
        """TCP to at least one address and TLS on those that TCP reached first."""
        return any(c.tls == "ok" for c in self.connections)


@dataclass(frozen=True)
class Comparison:
    """What the VPC's own resolver says of a name, and fresh connections to those addresses.

    `path` is None where its answer is the one that was used anyway, or has no private address.
    """

    answer: ServerAnswer
    path: Optional[Path] = None


@dataclass(frozen=True)
class Tunnel:
    """The way to one service through the agent's proxy.

    `proxy` is its URL without secrets. `state`: ok (CONNECT succeeded, `connection` is TLS inside),
    denied (`status` of the answer to CONNECT), unresolved, timeout, refused, no-route, prohibited,
    failed, tls (with an https proxy), hangs, not-proxy, invalid (a setting that Go refuses),
    unsupported (not tried).
    """

    proxy: str
    state: str
    status: Optional[int] = None
    error: str = ""
    connection: Optional[Connection] = None

    @property
    def usable(self) -> bool:
        return self.connection is not None and self.connection.tls == "ok"


@dataclass(frozen=True)
class TrustStore:
    """The system's CA certificates as the agent (Go) finds them.

    `partial`: it is too large to be read whole, so what does not verify proves nothing.
    """

    source: str
    certificates: int
    partial: bool = False
