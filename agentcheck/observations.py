"""What the probes saw, as plain facts: the shapes that pass from probes to checks and diagnosis.

A value of None means "not looked at" or "could not be seen", never "absent". Times are epoch
seconds of this host's clock unless said otherwise, durations are seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Protocol

SSM = "ssm"
SSMMESSAGES = "ssmmessages"
EC2MESSAGES = "ec2messages"
AGENT_PROGRAM = "amazon-ssm-agent"
CORE_SERVICES = (SSM, SSMMESSAGES, EC2MESSAGES)


class Version(NamedTuple):
    """An agent version: four integers, compared as numbers (3.10.2.0 is newer than 3.3.40.0)."""

    major: int
    minor: int
    build: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))


# From this release on the agent leaves ec2messages once ssmmessages is connected
# (amazon-ssm-agent RELEASENOTES.md, 3.3.40.0).
NO_EC2MESSAGES = Version(3, 3, 40, 0)
# Default Host Management Configuration needs this release (AWS user guide).
DEFAULT_HOST_MANAGEMENT = Version(3, 2, 582, 0)

_VERSION = re.compile(r"(?<![\d.])v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?![\d.])")


def parse_version(text: str) -> Optional[Version]:
    """Reads the first four-part version in a package version, a log line or `-version` output.

    >>> parse_version("3.3.4624.0-1.amzn2023")
    Version(major=3, minor=3, build=4624, patch=0)
    >>> parse_version("unknown") is None
    True
    """
    found = _VERSION.search(text)
    return Version(*map(int, found.groups())) if found else None


@dataclass(frozen=True)
class Machine:
    """DMI and the rights of this process. `is_ec2` is None when DMI cannot be read."""

    is_ec2: Optional[bool]
    vendor: str = ""
    uid: int = 0
    booted_systemd: bool = False


@dataclass(frozen=True)
class Instance:
    """What IMDS says of the instance; lists are empty and texts "" where it says nothing."""

    instance_id: str = ""
    region: str = ""
    availability_zone: str = ""
    vpc_id: str = ""
    subnet_id: str = ""
    vpc_cidrs: Sequence[str] = ()
    subnet_cidrs: Sequence[str] = ()
    local_ipv4: str = ""
    public_ipv4: str = ""
    ami_id: str = ""
    instance_type: str = ""
    partition: str = ""
    domain: str = ""
    security_groups: Sequence[str] = ()


@dataclass(frozen=True)
class Imds:
    """The instance metadata service.

    `state`: ok, disabled (403 to the token request), unreachable (`reason` no-route, timeout,
    silent, refused), not-genuine (an answer that no IMDS gives), error (429 or 5xx).
    """

    state: str
    reason: Optional[str] = None
    error: str = ""
    instance: Instance = field(default_factory=Instance)
    clock_offset_s: Optional[float] = None
    phases: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Role:
    """The instance profile's role and its credentials document, without its secrets.

    `state`: present, no-profile, no-role (a profile without a role), no-document (the role is
    listed but its document is not there), refused (`code` is not Success), unreadable.
    """

    state: str
    name: str = ""
    code: str = ""
    message: str = ""
    expiration: Optional[float] = None
    last_updated: Optional[float] = None
    access_key_prefix: str = ""
    error: str = ""


@dataclass(frozen=True)
class Install:
    """One installed agent. `package`: deb, rpm, snap or "" (a bare binary)."""

    path: str
    package: str
    version: Optional[Version] = None
    version_text: str = ""
    version_source: str = ""


@dataclass(frozen=True)
class Process:
    """A process of the agent; `deleted` when its program file was replaced under it."""

    pid: int
    path: str
    deleted: bool = False

    @property
    def is_main(self) -> bool:
        """The core agent; the others are workers that it starts."""
        return self.path.rsplit("/", 1)[-1] == AGENT_PROGRAM


@dataclass(frozen=True)
class Unit:
    """systemd's view of the agent's unit (systemctl show)."""

    name: str
    load_state: str
    active_state: str
    sub_state: str
    unit_file_state: str
    result: str
    restart: str
    restarts: int
    exit_status: str
    exited_at: str


@dataclass(frozen=True)
class AgentConfig:
    """amazon-ssm-agent.json. `error` is set when the agent would refuse it.

    `endpoints` maps a service to the host, host:port or URL that the file pins; `region` is
    Agent.Region (signing only), `messages_region` is Mgs.Region (host and signing).
    """

    path: str = ""
    error: str = ""
    unreadable: bool = False
    endpoints: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    messages_region: str = ""
    domain: str = ""


@dataclass(frozen=True)
class AgentIdentity:
    """identity_config.json of the agent: which credentials it last used, and until when."""

    instance_id: str = ""
    identity_type: str = ""
    credential_source: str = ""
    credentials_expire: Optional[float] = None
    unreadable: bool = False


@dataclass(frozen=True)
class Agent:
    """amazon-ssm-agent on this host. `processes_hidden`: there may be some we may not see."""

    installs: Sequence[Install] = ()
    processes: Sequence[Process] = ()
    processes_hidden: bool = False
    unit: Optional[Unit] = None
    config: AgentConfig = field(default_factory=AgentConfig)
    identity: AgentIdentity = field(default_factory=AgentIdentity)

    @property
    def running(self) -> bool:
        return any(process.is_main for process in self.processes)

    @property
    def stopped_reason(self) -> str:
        """Why there is no process: disabled, masked, failed, restarting or stopped."""
        unit = self.unit
        if unit is None:
            return "stopped"
        if unit.load_state == "masked" or unit.unit_file_state == "masked":
            return "masked"
        if unit.sub_state == "auto-restart":
            return "restarting"
        if unit.active_state == "failed":
            return "failed"
        return "disabled" if unit.unit_file_state == "disabled" else "stopped"

    def host_management_active(self, now: float) -> bool:
        """Whether Default Host Management gives the agent credentials that have not ended."""
        identity = self.identity
        return (
            identity.credential_source == "SSM"
            and identity.credentials_expire is not None
            and identity.credentials_expire > now
        )

    @property
    def install(self) -> Optional[Install]:
        """The install that runs, else the first one found."""
        for process in self.processes:
            for install in self.installs:
                if install.path == process.path:
                    return install
        return self.installs[0] if self.installs else None

    @property
    def version(self) -> Optional[Version]:
        return self.install.version if self.install else None

    @property
    def version_is_placeholder(self) -> bool:
        """Builds from source carry x.y.0.0 (3.3.0.0): says nothing of what they can do."""
        return self.version is not None and self.version[2:] == (0, 0)

    @property
    def version_known(self) -> bool:
        return self.version is not None and not self.version_is_placeholder


@dataclass(frozen=True)
class Socket:
    """A TCP socket of an agent process, from /proc/net/tcp."""

    peer: str
    port: int
    established: bool
    unacknowledged: int
    retransmits: int

    @property
    def alive(self) -> bool:
        """Established is not enough: a black-holed connection stays so for minutes."""
        return self.established and self.unacknowledged == 0 and self.retransmits == 0


@dataclass(frozen=True)
class Endpoint:
    """Where the agent goes for one service, and why it needs it."""

    service: str
    host: str
    port: int
    required: bool
    why: str


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
    failed; `system` what getaddrinfo said (ok, timeout, or its error)."""

    host: str
    state: str
    addresses: Sequence[str] = ()
    system: str = ""
    servers: Sequence[ServerAnswer] = ()
    duration_s: float = 0.0

    @property
    def silent_servers(self) -> Sequence[str]:
        return tuple(answer.server for answer in self.servers if answer.state == "timeout")


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
    not-yet-valid, not-tls, hangs, cut, failed; None when not tried.
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
    http_status: Optional[int] = None
    http_s: Optional[float] = None
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

        IPv6 without a route says nothing where IPv4 has an answer of its own. A refusal is an
        answer and so beats silence; prohibited and failed come from this host.
        """
        if self.reached or not self.connections:
            return None
        kinds = {c.tcp for c in self.connections if not c.is_ipv6} or {
            c.tcp for c in self.connections
        }
        order = ("refused", "timeout", "no-route", "prohibited", "failed")
        return next(kind for kind in order if kind in kinds)

    @property
    def partly_blocked(self) -> Sequence[Connection]:
        """The addresses that do not serve while others of the same family do."""
        served = {c.is_ipv6 for c in self.connections if c.tls == "ok"}
        return tuple(c for c in self.connections if c.tls != "ok" and c.is_ipv6 in served)

    @property
    def usable(self) -> bool:
        """TCP to at least one address and TLS on those that TCP reached first."""
        return any(c.tls == "ok" for c in self.connections)


@dataclass(frozen=True)
class TrustStore:
    """The system's CA certificates as the agent (Go) finds them."""

    source: str
    certificates: int


@dataclass(frozen=True)
class Policy:
    """The settings that judge, not probe."""

    require_private: str = "auto"
    ec2messages_retirement: str = "2026-09-30"
    on_ec2: str = "auto"


class Facts(Protocol):
    """What a check may ask. Each answer is probed once a round, at the first question."""

    policy: Policy

    def machine(self) -> Machine: ...
    def imds(self) -> Imds: ...
    def role(self) -> Role: ...
    def agent(self) -> Agent: ...
    def connected(self) -> Optional[bool]: ...
    def endpoint(self, service: str) -> Optional[Endpoint]: ...
    def name(self, service: str) -> Name: ...
    def path(self, service: str) -> Path: ...
    def services(self) -> Sequence[str]: ...
    def clock_offsets(self) -> Mapping[str, float]: ...
    def now(self) -> float: ...


@dataclass(frozen=True)
class Observed:
    """Everything one round saw, frozen: what the diagnosis and the report are made from.

    `connected` is proven (True), disproven (False) or not known (None); `services` are those that
    the agent needs or the configuration asks for, None when that is not known. `clock_offsets`
    maps a source ("imds" or a service) to its clock minus ours; `unanswered` the id of a check
    that ended in error to what happened.
    """

    now: float
    policy: Policy = field(default_factory=Policy)
    machine: Optional[Machine] = None
    imds: Optional[Imds] = None
    role: Optional[Role] = None
    agent: Optional[Agent] = None
    connected: Optional[bool] = None
    services: Optional[Sequence[str]] = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    paths: Mapping[str, Path] = field(default_factory=dict)
    trust_store: Optional[TrustStore] = None
    clock_offsets: Mapping[str, float] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)

    @property
    def instance(self) -> Instance:
        return self.imds.instance if self.imds else Instance()
