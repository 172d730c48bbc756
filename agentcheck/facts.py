"""The facts of one round: each is probed once, when a check first asks, and kept.

This is the one place that joins the probes: checks ask it, and `observed()` freezes what was
seen for the diagnosis and the report.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Optional, TypeVar

from agentcheck.hosts import HTTPS, split_host, without_secrets
from agentcheck.observations import (
    CORE_SERVICES,
    EC2MESSAGES,
    NO_EC2MESSAGES,
    SSMMESSAGES,
    Agent,
    Connection,
    Endpoint,
    Imds,
    Instance,
    Machine,
    Name,
    Observed,
    Path,
    Policy,
    Role,
    Socket,
)
from agentcheck.probes import (
    agent_sockets,
    connection,
    imds,
    machine,
    resolver,
    ssm_agent,
    trust_store,
)
from agentcheck.proxy import proxy_for
from agentcheck.settings import Settings

T = TypeVar("T")

# Domain by Region prefix, where IMDS does not say (agent source,
# common/identity/endpoint/endpoint.go).
_DOMAINS = (
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-de-", "amazonaws.eu"),
)


class Once(Generic[T]):
    """A value made at the first question; who asks meanwhile waits for the same answer."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._done = False
        self._value: Optional[T] = None
        self._error: Optional[Exception] = None

    def get(self) -> T:
        with self._lock:
            if not self._done:
                try:
                    self._value = self._make()
                except Exception as error:  # noqa: BLE001 - every check that asks shall see it
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set when there is no error

    def peek(self) -> Optional[T]:
        """The value if it was made; never waits."""
        return self._value if self._done else None


class RoundFacts:
    """`observations.Facts` on the real world, for one round."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self.now = now
        self.policy = Policy(
            require_private=settings["endpoints", "require_private"],
            ec2messages_retirement=settings["endpoints", "ec2messages_retirement"],
            on_ec2=settings["run", "ec2"],
        )
        self._machine = Once(machine.probe)
        self._metadata = Once(imds.probe)
        self._agent = Once(ssm_agent.probe)
        self._sockets = Once(self._probe_sockets)
        self._connected = Once(self._judge_connected)
        self._needed = Once(self._needs_ec2messages)
        self._services = Once(self._list_services)
        self._nameservers = Once(resolver.servers)
        self._trust = Once(lambda: trust_store.load(self.agent().environment))
        self._names: dict[str, Once[Name]] = {}
        self._paths: dict[str, Once[Path]] = {}
        self._new_cell = threading.Lock()

    def machine(self) -> Machine:
        return self._machine.get()

    def imds(self) -> Imds:
        return self._metadata.get().imds

    def role(self) -> Role:
        return self._metadata.get().role or Role("unreadable", error="IMDS did not answer")

    def agent(self) -> Agent:
        return self._agent.get()

    def services(self) -> Sequence[str]:
        """The services to check, required ones first."""
        return self._services.get()

    def _list_services(self) -> Sequence[str]:
        wanted = [s for s in CORE_SERVICES if s != EC2MESSAGES or self._needed.get()]
        wanted += self._settings["endpoints", "required"]
        wanted += self._settings["endpoints", "optional"]
        return tuple(dict.fromkeys(wanted))

    def _is_required(self, service: str) -> bool:
        if service in self._settings["endpoints", "required"]:
            return True
        return service in CORE_SERVICES and (service != EC2MESSAGES or self._needed.get())

    def _needs_ec2messages(self) -> bool:
        agent = self.agent()
        if not agent.installs:
            return False  # the agent to be installed will be a new one
        if agent.version_known and agent.version is not None:
            return agent.version < NO_EC2MESSAGES
        return self.connected() is not True

    def endpoint(self, service: str) -> Optional[Endpoint]:
        """Where the agent goes for `service`; None while the Region is not known."""
        config = self.agent().config
        instance = self.imds().instance
        required = self._is_required(service)
        why = _why(service, required)
        pinned = config.endpoints.get(service)
        if pinned:
            place = split_host(pinned)
            if place is None:
                return None  # agent-misconfigured says so
            return Endpoint(service, *place, required, f"{why}; pinned in {config.path}")
        region = (config.messages_region if service == SSMMESSAGES else "") or instance.region
        if not region:
            return None
        domain = config.domain or instance.domain or domain_of(region)
        return Endpoint(service, f"{service}.{region}.{domain}", HTTPS, required, why)

    def name(self, service: str) -> Name:
        return self._cell(self._names, service, lambda: self._resolve(service)).get()

    def path(self, service: str) -> Path:
        return self._cell(self._paths, service, lambda: self._connect(service)).get()

    def connected(self) -> Optional[bool]:
        """Whether the agent has a live channel to ssmmessages; None when we may not see.

        Proven by a socket of the agent that is established with nothing unacknowledged. Without
        the service's addresses any such connection of the agent to port 443 counts.
        """
        return self._connected.get()

    def _judge_connected(self) -> Optional[bool]:
        sockets = self._sockets.get()
        if sockets is None:
            return None
        channel = [s for s in sockets if s.port == HTTPS and s.alive and not _is_imds(s)]
        known = self.endpoint(SSMMESSAGES) and self.name(SSMMESSAGES).addresses
        if known:
            channel = [s for s in channel if s.peer in known]
        return bool(channel)

    def proxy(self, service: str) -> Optional[str]:
        """The proxy that the agent takes for `service`, without its secrets; None: none."""
        endpoint = self.endpoint(service)
        if endpoint is None:
            return None
        found = proxy_for(endpoint.host, endpoint.port, self.agent().environment)
        return without_secrets(found) if found else None

    def clock_offsets(self) -> Mapping[str, float]:
        """Clocks seen in HTTP answers, minus ours, by source; only what was looked at already."""
        offsets = {}
        metadata = self._metadata.peek()
        if metadata and metadata.imds.clock_offset_s is not None:
            offsets["imds"] = metadata.imds.clock_offset_s
        for service in sorted(self._paths):
            path = self._paths[service].peek()
            for seen in path.connections if path else ():
                if seen.clock_offset_s is not None:
                    offsets.setdefault(service, seen.clock_offset_s)
        return offsets

    def observed(self) -> Observed:
        """Everything seen so far; never waits and never probes."""
        metadata = self._metadata.peek()
        agent = self._agent.peek()
        names = {s: name for s, cell in self._names.items() if (name := cell.peek())}
        paths = {s: path for s, cell in self._paths.items() if (path := cell.peek())}
        trust = self._trust.peek()
        services = self._services.peek()
        if services is None and agent and (agent.version_known or not agent.installs):
            services = self._list_services()  # no socket is asked for such an agent
        endpoints = {}
        if agent is not None and metadata is not None:
            for service in services or ():
                endpoint = self.endpoint(service)
                if endpoint:
                    endpoints[service] = endpoint
        return Observed(
            now=self.now(),
            policy=self.policy,
            machine=self._machine.peek(),
            imds=metadata.imds if metadata else None,
            role=metadata.role if metadata else None,
            agent=agent,
            connected=self._connected.peek(),
            services=services,
            endpoints=endpoints,
            names={s: v for s, v in names.items() if s in endpoints},
            proxies={s: proxy for s in endpoints if (proxy := self.proxy(s))},
            paths={s: v for s, v in paths.items() if s in endpoints},
            trust_store=trust[1] if trust else None,
            clock_offsets=self.clock_offsets(),
        )

    def _cell(self, cells: dict[str, Once[T]], key: str, make: Callable[[], T]) -> Once[T]:
        with self._new_cell:
            return cells.setdefault(key, Once(make))

    def _probe_sockets(self) -> Optional[tuple[Socket, ...]]:
        return agent_sockets.probe([process.pid for process in self.agent().processes])

    def _resolve(self, service: str) -> Name:
        return resolver.resolve(self._known(service).host, self._nameservers.get())

    def _connect(self, service: str) -> Path:
        endpoint, addresses = self._known(service), self.name(service).addresses
        kept = addresses[: self._settings["endpoints", "max_addresses"]]
        instance = self.imds().instance
        places = [_place(address, instance) for address in kept]
        context: ssl.SSLContext = self._trust.get()[0]
        timeout = self._settings["run", "connect_timeout"]
        seen = connection.probe_all(endpoint.host, endpoint.port, places, context, timeout)
        return Path(seen, left_out=len(addresses) - len(kept))

    def _known(self, service: str) -> Endpoint:
        endpoint = self.endpoint(service)
        if endpoint is None:
            raise LookupError(f"no host is known for {service}")
        return endpoint


def _place(address: str, instance: Instance) -> Connection:
    scope = connection.scope_of(address, instance.vpc_cidrs)
    return Connection(address, scope, connection.within(address, instance.subnet_cidrs), "")


def _is_imds(socket: Socket) -> bool:
    return socket.peer.startswith("169.254.") or socket.peer == "fd00:ec2::254"


def _why(service: str, required: bool) -> str:
    known = {
        "ssm": "the agent registers and reports there",
        "ssmmessages": "sessions and commands run over its channel",
        "ec2messages": f"agents older than {NO_EC2MESSAGES} take commands there",
    }
    return known.get(service, "configured as required" if required else "configured as optional")


def domain_of(region: str) -> str:
    """The DNS domain of a Region's endpoints."""
    return next((d for prefix, d in _DOMAINS if region.startswith(prefix)), "amazonaws.com")
