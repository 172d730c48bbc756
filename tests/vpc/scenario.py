"""The world of a scenario as plain data: a healthy private VPC, and what differs in it.

Every default is healthy, so a scenario file states only its failure. The data is frozen and can be
pickled: the servers get it whole, again whenever a test changes the world.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Optional, Union

REGION = "us-east-1"
DOMAIN = "amazonaws.com"
INSTANCE_ID = "i-0abc1234def567890"
INSTANCE_ADDRESS = "10.0.0.50"
ROUTER = "10.0.0.1"
IMDS_ADDRESS = "169.254.169.254"
IMDS_IPV6 = "fd00:ec2::254"
VPC_RESOLVER = "10.0.0.2"
LINK_LOCAL_RESOLVER = "169.254.169.253"
IPV6_RESOLVER = "fd00:ec2::253"
VPC_IPV6_CIDR = "2600:1f18:abcd::/56"
SUBNET_IPV6_CIDR = "2600:1f18:abcd:1::/64"
INSTANCE_IPV6 = "2600:1f18:abcd:1::50"
ROUTER_IPV6 = "2600:1f18:abcd:1::1"
PROXY_NAME = "proxy.ec2.internal"

SSM = ("10.0.1.10", "10.0.2.10")
SSMMESSAGES = ("10.0.1.11", "10.0.2.11")
EC2MESSAGES = ("10.0.1.12", "10.0.2.12")
PUBLIC_SSM = ("52.94.0.10",)
PUBLIC_SSMMESSAGES = ("52.94.0.11",)
BOTH = ("ssm", "ssmmessages")

# What the fake servers hand out and nobody may ever print again.
CANARIES: Mapping[str, str] = {
    "secret-key": "CanarySecretKey0000000000000000000EXAMPL",
    "session-token": "CanarySessionToken//////////EXAMPLETOKEN//////////0000==",
    "imds-token": "CanaryImdsToken-EXAMPLE-000000000000000000000000000000==",
    "identity-secret-key": "CanaryIdentitySecretKey00000000000EXAMPL",
    "identity-session-token": "CanaryIdentityToken/////////EXAMPLETOKEN/////////00000==",
}
ACCESS_KEY_ID = "ASIACANARYEXAMPLE012"
# In what an endpoint answers: here it repeats the request's headers.
ECHO = "@REQUEST@"

Text = Union[str, bytes]
Reply = tuple[int, str]
TlsMode = Literal[
    "ok",
    "expired",
    "not-yet-valid",
    "wrong-name",
    "foreign-ca",
    "self-signed",
    "plain",  # answers in the clear
    "hang",  # accepts, and never says a word
    "cut",  # resets the connection after the ClientHello
    "refuse",  # nobody listens
]


def host(service: str) -> str:
    """The name of a service's endpoint in the default Region, as the agent makes it."""
    return f"{service}.{REGION}.{DOMAIN}"


def rfc3339(seconds: float) -> str:
    """The moment `seconds` from now, as IMDS and the agent's state files write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def log_time(seconds: float) -> str:
    """The moment `seconds` from now, as the agent's log writes it (the instance is in UTC)."""
    return time.strftime("%Y-%m-%d %H:%M:%S.0000", time.gmtime(time.time() + seconds))


def refusal(code: str, message: str, status: int = 400) -> Reply:
    """What a service answers to a call that it does not carry out."""
    return status, json.dumps({"__type": code, "message": message})


def denial(because: str = "") -> Reply:
    """What ssm answers to a role that may not make the call; `because` names the policy."""
    node = f"arn:aws:ec2:{REGION}:123456789012:instance/{INSTANCE_ID}"
    who = f"arn:aws:sts::123456789012:assumed-role/app-role/{INSTANCE_ID}"
    text = f"User: {who} is not authorized to perform: ssm:ListInstanceAssociations on resource: "
    return refusal("AccessDeniedException", text + node + because)


@dataclass(frozen=True)
class Expect:
    """What `agentcheck run` must say. `causes` defaults to the verdict alone, none when ok."""

    code: str = "healthy"
    status: str = "ok"
    exit_code: int = 0
    services: tuple[str, ...] = ()
    causes: tuple[str, ...] = ("",)
    reason: Optional[str] = None  # None: not told by the scenario
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.causes == ("",):
            causes = () if self.code == "healthy" else (self.code,)
            object.__setattr__(self, "causes", causes)


@dataclass(frozen=True)
class Rule:
    """Packets to a port of some addresses (none: of all) are dropped or refused."""

    addresses: tuple[str, ...] = ()
    action: Literal[
        "drop",
        "tcp-reset",
        "port-unreachable",
        "host-unreachable",
        "admin-prohibited",
        "no-route",
    ] = "drop"
    port: int = 443
    protocol: Literal["tcp", "udp", "any"] = "tcp"
    # endpoint: a security group, which lets established connections live; nacl: cuts those too;
    # instance: a firewall on the instance itself.
    place: Literal["endpoint", "nacl", "instance"] = "endpoint"


@dataclass(frozen=True)
class Imds:
    """The metadata service. `paths` overrides single paths below /latest/: None is 404."""

    mode: Literal["ok", "disabled", "refuse", "drop", "silent", "html"] = "ok"
    delay: float = 0.0  # seconds before every answer
    date_offset: float = 0.0
    hop_limit: int = 64
    profile: bool = True
    role: Optional[str] = "app-role"
    credentials_code: str = "Success"
    credentials_lifetime: float = 6 * 3600.0
    vpc_cidrs: tuple[str, ...] = ("10.0.0.0/16",)
    public_ipv4: Optional[str] = None
    ipv6: bool = False  # on a scenario with IPv6: at fd00:ec2::254 too
    paths: Mapping[str, Union[str, Reply, None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Resolver:
    """A DNS server. `records` overrides the world's: a name's addresses, () none, None NXDOMAIN.

    One at a loopback address is a stub on the instance itself.
    """

    address: str
    mode: Literal["ok", "servfail", "refused", "drop", "refuse"] = "ok"
    delay: float = 0.0
    records: Mapping[str, Optional[tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """A service's endpoint: what DNS answers for its name, and who answers there.

    `tls_at` overrides `tls` for single addresses; with `exists` False nobody has the addresses.
    `signed` overrides the reply to a request that is signed well (HTML is sent as such; ECHO in it
    stands for the request's headers), `host` the name.
    """

    service: str
    addresses: tuple[str, ...]
    tls: TlsMode = "ok"
    tls_at: Mapping[str, TlsMode] = field(default_factory=dict)
    exists: bool = True
    date_offset: float = 0.0
    signed: Optional[Reply] = None
    host: str = ""
    port: int = 443

    def tls_mode(self, address: str) -> TlsMode:
        return self.tls_at.get(address, self.tls)


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy in the VPC, which reaches whatever the endpoints' rules keep the instance from.

    With a `user` it wants that name and password; with `tls` it is itself spoken to over TLS; with
    `echo` its refusals repeat the request's headers.
    """

    address: str = "10.0.0.99"
    port: int = 3128
    mode: Literal[
        "ok",
        "deny",  # 403
        "bad-gateway",  # 502
        "hang",  # accepts, and never answers
        "garbage",  # what it answers is not HTTP
        "intercept",  # decrypts TLS, and shows certificates of an authority of its own
        "refuse",  # nobody listens
        "drop",
    ] = "ok"
    user: str = ""
    password: str = ""
    tls: bool = False
    echo: bool = False


@dataclass(frozen=True)
class Agent:
    """The fake amazon-ssm-agent. None: what follows from the rest of the world."""

    installed: Literal["deb", "snap", "both", "none"] = "deb"
    version: str = "3.3.1611.0"  # what the binary prints
    package_version: Optional[str] = "3.3.1611.0-1"  # None: the package database has no entry
    running: bool = True
    connected: Optional[bool] = None
    config: Optional[str] = None
    log: Optional[str] = None
    identity_config: Optional[str] = None
    environment: Mapping[str, str] = field(default_factory=dict)
    age: float = 60.0  # seconds since its process started
    running_version: Optional[str] = None  # that of the process, replaced on disk since
    unit: Optional[Mapping[str, str]] = None  # what `systemctl show` says beside the usual
    updating: bool = False  # an update of it is under way
    registration: Optional[str] = None  # the text of its hybrid registration
    dangling_snap: bool = False  # the snap's current revision is not there


@dataclass(frozen=True)
class Scenario:
    """Everything there is. `files` come last: text to write, or None to remove."""

    expect: Expect = Expect()
    imds: Imds = Imds()
    dns: tuple[Resolver, ...] = (Resolver(VPC_RESOLVER), Resolver(LINK_LOCAL_RESOLVER))
    endpoints: tuple[Endpoint, ...] = (
        Endpoint("ssm", SSM),
        Endpoint("ssmmessages", SSMMESSAGES),
    )
    proxies: tuple[Proxy, ...] = ()
    # In the place of whatever listens at an address, port and protocol (tcp or udp): functions of
    # a module, as the servers' process has to find them too. They get what Listeners' handlers get.
    strangers: Mapping[tuple[str, int, str], Callable[[socket.socket], None]] = field(
        default_factory=dict
    )
    agent: Agent = Agent()
    rules: tuple[Rule, ...] = ()
    closed_later: tuple[Rule, ...] = ()  # come into force after the agent has connected
    region: str = REGION
    domain: str = DOMAIN
    partition: str = "aws"
    default_route: bool = True
    imds_route: bool = True
    ipv4: bool = True
    ipv6: bool = False
    dmi: Literal["ec2", "qemu"] = "ec2"
    trust: Literal["test", "empty", "unrelated"] = "test"
    hosts: str = ""
    resolv_conf: str = f"nameserver {VPC_RESOLVER}\nsearch ec2.internal\n"
    files: Mapping[str, Optional[Text]] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)  # path: options of a tmpfs there
    environment: Mapping[str, str] = field(default_factory=dict)  # of the command
    run_args: tuple[str, ...] = ()  # more arguments of `agentcheck run`
    name: str = ""
    summary: str = ""

    def host(self, service: str) -> str:
        """The name of a service's endpoint, as the agent makes it in this Region."""
        return f"{service}.{self.region}.{self.domain}"

    def name_of(self, endpoint: Endpoint) -> str:
        """The name under which an endpoint is known."""
        return endpoint.host or self.host(endpoint.service)

    @property
    def hostname(self) -> str:
        """The name of the instance, which carries its address or, without IPv4, its id."""
        first = f"ip-{INSTANCE_ADDRESS.replace('.', '-')}" if self.ipv4 else INSTANCE_ID
        inner = "ec2" if self.region == REGION else f"{self.region}.compute"
        return f"{first}.{inner}.internal"

    @property
    def imds_addresses(self) -> tuple[str, ...]:
        """Where the metadata service listens."""
        return (IMDS_ADDRESS, IMDS_IPV6) if self.ipv6 and self.imds.ipv6 else (IMDS_ADDRESS,)

    @property
    def records(self) -> dict[str, Optional[tuple[str, ...]]]:
        """What DNS says where a resolver has nothing of its own."""
        found: dict[str, Optional[tuple[str, ...]]] = {}
        if self.proxies:
            found[PROXY_NAME] = (self.proxies[0].address,)
        found.update((self.name_of(e), e.addresses) for e in self.endpoints)
        return found

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The rules, and those that a server's mode stands for."""
        silent = [Rule((r.address,), port=53, protocol="any") for r in self.dns if r.mode == "drop"]
        silent += [Rule((p.address,), port=p.port) for p in self.proxies if p.mode == "drop"]
        if self.imds.mode == "drop":
            silent.append(Rule(self.imds_addresses, port=80))
        return (*self.rules, *silent)

    @property
    def credentials_ready(self) -> bool:
        """Whether the agent would get credentials, and so start its worker."""
        source = self.agent.identity_config is not None or (
            self.imds.profile
            and self.imds.role is not None
            and self.imds.credentials_code == "Success"
            and self.imds.credentials_lifetime > 0
        )
        in_time = abs(self.imds.date_offset) <= 300
        reachable = self.imds_route and (self.ipv4 or IMDS_IPV6 in self.imds_addresses)
        return self.imds.mode == "ok" and reachable and source and in_time


# Reads as what it is in a scenario file: a healthy VPC but for the arguments.
healthy = Scenario
