"""Observed worlds for the tests of the pure branches: a healthy one, and changes to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agentcheck.observations import (
    Agent,
    Certificate,
    Channel,
    Connection,
    Endpoint,
    Imds,
    Install,
    Instance,
    Machine,
    Name,
    Observed,
    Path,
    Process,
    Role,
    TrustStore,
    Version,
)

NOW = 1_800_000_000.0
REGION = "us-east-1"
ALIVE, DEAD, UNSEEN = Channel(True, "socket"), Channel(False, "socket"), Channel(None)
INSTANCE = Instance(
    instance_id="i-0abc1234def567890",
    region=REGION,
    availability_zone="us-east-1a",
    vpc_id="vpc-0a1b2c3d4e5f60718",
    subnet_id="subnet-0123456789abcdef0",
    vpc_cidrs=("10.0.0.0/16",),
    subnet_cidrs=("10.0.0.0/24",),
    local_ipv4="10.0.0.50",
    partition="aws",
    domain="amazonaws.com",
    security_groups=("sg-0123abcd4567ef890",),
)
CERTIFICATE = Certificate(
    "ssm.us-east-1.amazonaws.com", "Amazon, Amazon RSA 2048 M01", (), NOW - 9e6, NOW + 9e6
)
ADDRESSES = {
    "ssm": ("10.0.1.10", "10.0.2.10"),
    "ssmmessages": ("10.0.1.11", "10.0.2.11"),
    "ec2messages": ("10.0.1.12", "10.0.2.12"),
    "kms": ("10.0.1.13", "10.0.2.13"),
}


def host(service: str) -> str:
    return f"{service}.{REGION}.amazonaws.com"


def connection(address: str, scope: str = "vpc", tcp: str = "ok", **changes: Any) -> Connection:
    """A working connection, or one that fails in TCP as `tcp` says."""
    made = Connection(address, scope, False, tcp, 0.001)
    if tcp == "ok":
        made = replace(made, tls="ok", tls_s=0.01, certificate=CERTIFICATE)
    else:
        made = replace(made, error=f"made to {tcp}")
    return replace(made, **changes)


def agent(version: str = "3.3.1611.0", running: bool = True, **changes: Any) -> Agent:
    path = "/usr/bin/amazon-ssm-agent"
    numbers = [int(part) for part in version.split(".")]
    install = Install(path, "deb", Version(*numbers), version, "deb package")
    made = Agent((install,), (Process(100, path),) if running else ())
    return replace(made, **changes)


def healthy(*services: str, **changes: Any) -> Observed:
    """A healthy private instance; `services` defaults to the two that are always needed."""
    services = services or ("ssm", "ssmmessages")
    world = Observed(
        now=NOW,
        machine=Machine(True, "Amazon EC2"),
        imds=Imds("ok", instance=INSTANCE, clock_offset_s=0.2),
        role=Role("present", "app", "Success", expiration=NOW + 20000),
        agent=agent(),
        channel=ALIVE,
        services=services,
        endpoints={s: Endpoint(s, host(s), 443, True, "needed") for s in services},
        names={s: Name(host(s), "ok", ADDRESSES[s], "ok") for s in services},
        paths={s: Path(tuple(connection(a) for a in ADDRESSES[s])) for s in services},
        trust_stores=stores(TrustStore("/etc/ssl/certs/ca-certificates.crt", 140)),
        clock_offsets={"imds": 0.2, "ssm": 0.1},
    )
    return replace(world, **changes)


def stores(store: TrustStore) -> dict[str, TrustStore]:
    """The same CA certificates for every service."""
    return dict.fromkeys(("ssm", "ssmmessages", "ec2messages", "kms"), store)


def lost(world: Observed, service: str) -> Channel:
    """The channel when a service cannot be used any more."""
    return world.channel if service == "ec2messages" or world.channel != ALIVE else DEAD


def with_name(world: Observed, service: str, state: str, **changes: Any) -> Observed:
    """The name of one service ends in `state`, so there is no path and no channel."""
    name = Name(host(service), state, (), state, **changes)
    paths = {s: path for s, path in world.paths.items() if s != service}
    return replace(
        world, names={**world.names, service: name}, paths=paths, channel=lost(world, service)
    )


def with_path(world: Observed, service: str, *connections: Connection) -> Observed:
    """The connections to one service; the channel is gone where none of them works."""
    addresses = tuple(c.address for c in connections)
    name = Name(host(service), "ok", addresses, "ok")
    return replace(
        world,
        names={**world.names, service: name},
        paths={**world.paths, service: Path(tuple(connections))},
        channel=world.channel if any(c.tls == "ok" for c in connections) else lost(world, service),
    )
