"""The ways to the endpoints: names, fresh connections, the proxy; each is tried once a round."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Optional

from agentcheck import proxy
from agentcheck.hosts import vpc_resolvers
from agentcheck.observations import (
    SSMMESSAGES,
    Agent,
    Comparison,
    Connection,
    Endpoint,
    Instance,
    Name,
    Path,
    TrustStore,
    Tunnel,
)
from agentcheck.once import Cells, Once
from agentcheck.probes import connection, nameservers, resolver, trust_store, tunnel


class Ways:
    """Names, paths and tunnels by service. What it needs to know of the round is asked for."""

    def __init__(
        self,
        endpoint: Callable[[str], Optional[Endpoint]],
        agent: Callable[[], Agent],
        instance: Callable[[], Instance],
        timeout: float,
        max_addresses: int,
    ) -> None:
        self._endpoint, self._agent, self._instance = endpoint, agent, instance
        self._timeout, self._max_addresses = timeout, max_addresses
        self._nameservers = Once(nameservers.configured)
        self._proxies = Cells(self._find_proxy)
        self.names = Cells(self._resolve)
        self.paths = Cells(self._connect)
        self.tunnels = Cells(self._connect_through)
        self.comparisons = Cells(self._compare)
        self._trust = Cells(self._load_trust)

    def known(self, service: str) -> Endpoint:
        """The endpoint of a service; LookupError where no host is known."""
        endpoint = self._endpoint(service)
        if endpoint is None:
            raise LookupError(f"no host is known for {service}")
        return endpoint

    def proxy(self, service: str) -> Optional[str]:
        """The agent's setting that holds for the service, with its secrets; None: direct."""
        return self._proxies.get(service)

    def _find_proxy(self, service: str) -> Optional[str]:
        endpoint = self._endpoint(service)
        if endpoint is None:
            return None
        return proxy.proxy_for(endpoint.host, endpoint.port, self._agent().environment)

    def usable(self, service: str) -> bool:
        """Whether the agent's way to the service works: through its proxy where it has one."""
        if self.proxy(service):
            return self.tunnels.get(service).usable
        return self.names.get(service).state == "ok" and self.paths.get(service).usable

    def open(self, service: str) -> connection.Stream:
        """A verified TLS connection on the way that was found to work. Raises OSError."""
        endpoint, context = self.known(service), self._context(service)
        setting = self.proxy(service)
        parsed = proxy.parse(setting) if setting else None
        if parsed is not None:
            plain = tunnel.dial(parsed, endpoint.host, endpoint.port, context, self._timeout)
        else:
            working = [c for c in self.paths.get(service).connections if c.tls == "ok"]
            plain = socket.create_connection((working[0].address, endpoint.port), self._timeout)
        return connection.secured(endpoint.host, plain, context, self._timeout)

    def trust_stores(self, services: Sequence[str]) -> Mapping[str, TrustStore]:
        """The CA certificates that each of the services was tried with; never waits."""
        loaded = self._trust.peek()
        return {s: loaded[key][1] for s in services if (key := self._bundle(s)) in loaded}

    def clock_offsets(self) -> Mapping[str, float]:
        """The clocks that were seen, minus ours, by service; never waits."""
        offsets: dict[str, float] = {}
        seen = [(s, c) for s, path in self.paths.peek().items() for c in path.connections]
        seen += [(s, t.connection) for s, t in self.tunnels.peek().items() if t.connection]
        for service, one in seen:
            if one.clock_offset_s is not None:
                offsets.setdefault(service, one.clock_offset_s)
        return offsets

    def _resolve(self, service: str) -> Name:
        host = self.known(service).host
        return resolver.resolve(host, self._nameservers.get(), nameservers.pinned(host))

    def _compare(self, service: str) -> Optional[Comparison]:
        """What the VPC's own resolver says, where our answer does not do; None: not asked."""
        name = self.names.get(service)
        works = name.state == "ok" and self.paths.get(service).usable
        private = all(place.scope != "public" for place in self._places(name.addresses))
        if name.pinned:
            return self._compare_pin(service, name)
        if (works and private) or name.state in ("unreachable", "failed"):
            return None  # nothing to explain, or explained otherwise
        own = vpc_resolvers(self._instance().vpc_cidrs)
        said = name.in_dns
        if (said.server if said else next(iter(self._nameservers.get()), "")) in own:
            return None
        answer = resolver.ask_once(own, name.host)
        if answer is None:
            return None
        other = [
            place
            for place in self._places(answer.addresses)
            if place.scope != "public" and place.address not in name.addresses
        ]
        return Comparison(answer, self._connect_to(service, other) if other else None)

    def _compare_pin(self, service: str, name: Name) -> Optional[Comparison]:
        """For a name in the hosts file: whether what DNS says would do better."""
        if not name.overridden or name.in_dns is None or self.paths.get(service).usable:
            return None
        other = [p for p in self._places(name.in_dns.addresses) if p.address not in name.addresses]
        return Comparison(name.in_dns, self._connect_to(service, other) if other else None)

    def _connect(self, service: str) -> Path:
        return self._connect_to(service, self._places(self.names.get(service).addresses))

    def _places(self, addresses: Sequence[str]) -> list[Connection]:
        instance = self._instance()
        return [_place(address, instance) for address in addresses]

    def _connect_to(self, service: str, places: Sequence[Connection]) -> Path:
        endpoint, context = self.known(service), self._context(service)
        kept = places[: self._max_addresses]
        seen = connection.probe_all(endpoint.host, endpoint.port, kept, context, self._timeout)
        return Path(seen, left_out=len(places) - len(kept))

    def _connect_through(self, service: str) -> Tunnel:
        endpoint, setting = self.known(service), self.proxy(service) or ""
        parsed = proxy.parse(setting)
        if parsed is None:
            return Tunnel(proxy.shown(setting), "invalid", error="the setting is no proxy's URL")
        context = self._context(service)
        return tunnel.probe(parsed, endpoint.host, endpoint.port, context, self._timeout)

    def _load_trust(self, bundle: str) -> tuple[ssl.SSLContext, TrustStore]:
        return trust_store.load(self._agent().environment, bundle)

    def _bundle(self, service: str) -> str:
        """AWS_CA_BUNDLE, for the services that the agent calls through the AWS SDK."""
        return "" if service == SSMMESSAGES else self._agent().environment.get("AWS_CA_BUNDLE", "")

    def _context(self, service: str) -> ssl.SSLContext:
        return self._trust.get(self._bundle(service))[0]


def _place(address: str, instance: Instance) -> Connection:
    scope = connection.scope_of(address, instance.vpc_cidrs)
    return Connection(address, scope, connection.within(address, instance.subnet_cidrs), "")
