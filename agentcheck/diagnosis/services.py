"""Which services a cause may be about: required, usable, not explained elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from agentcheck.misconfiguration import problems
from agentcheck.observations import (
    CORE_SERVICES,
    EC2MESSAGES,
    NO_EC2MESSAGES,
    Comparison,
    Endpoint,
    Name,
    Observed,
    Path,
)


def usable(o: Observed, service: str) -> bool:
    """DNS, TCP to at least one address and TLS worked; through the proxy where there is one."""
    if service in o.proxies:
        tunnel = o.tunnels.get(service)
        return tunnel is not None and tunnel.usable
    path = o.paths.get(service)
    return path is not None and path.usable


def agent_is_old(o: Observed) -> bool:
    """Whether the agent is known to be one that needs ec2messages."""
    agent = o.agent
    return (
        agent is not None
        and agent.acting_version is not None
        and agent.version_known
        and agent.acting_version < NO_EC2MESSAGES
    )


def _accusable(o: Observed) -> list[Endpoint]:
    """The required endpoints whose failure is not one of the agent's own settings."""
    left_out = set()
    if o.agent is not None:
        if o.agent.environment_hidden:
            return []  # it may go through a proxy that we may not see
        if o.connected is None and not o.agent.version_known:
            left_out.add(EC2MESSAGES)  # nothing seen tells whether it is needed
        # A host that the configuration pins wrongly fails by that, whatever it does.
        wrong = problems(o.agent.config, o.instance.region, o.instance.domain)
        left_out |= {problem.service or "" for problem in wrong}
    found = [e for e in o.endpoints.values() if e.required and e.service not in left_out]
    return sorted(found, key=lambda e: (e.service not in CORE_SERVICES, e.service))


def overridden(o: Observed) -> list[tuple[Endpoint, Name]]:
    """Those whose name the hosts file gives another address than DNS."""
    found = [(e, o.names[e.service]) for e in _accusable(o) if e.service in o.names]
    return [(e, name) for e, name in found if name.overridden and e.service not in o.proxies]


def pin_breaks(o: Observed, service: str) -> bool:
    """Whether it is the pinned address that fails: unless what DNS says fails as well."""
    if usable(o, service):
        return False
    comparison = o.comparisons.get(service)
    return comparison is None or comparison.path is None or comparison.path.usable


def split(o: Observed) -> list[tuple[Endpoint, Comparison]]:
    """Those for which the VPC's own resolver has a private answer that works, and ours has not."""
    found = [(e, o.comparisons[e.service]) for e in _accusable(o) if e.service in o.comparisons]
    return [
        (e, comparison)
        for e, comparison in found
        if comparison.path is not None
        and comparison.path.usable
        and e.service not in o.proxies
        and not o.names[e.service].pinned
    ]


def _astray(o: Observed) -> set[str]:
    """Services whose names lead elsewhere than they should, which explains all the rest."""
    pins = {e.service for e, _ in overridden(o)}
    return {s for s in pins if usable(o, s) or pin_breaks(o, s)} | {e.service for e, _ in split(o)}


def only_ec2messages_missing(o: Observed) -> bool:
    """An old agent's ec2messages is unusable while all else that it needs works."""
    needed = [e.service for e in o.endpoints.values() if e.required]
    looked_at = EC2MESSAGES in o.names
    return (
        agent_is_old(o)
        and EC2MESSAGES in needed
        and looked_at
        and not usable(o, EC2MESSAGES)
        and EC2MESSAGES not in _astray(o)
        and all(usable(o, service) for service in needed if service != EC2MESSAGES)
    )


def required(o: Observed) -> list[Endpoint]:
    """The required endpoints that may be accused of anything, in the usual order.

    What the hosts file or a foreign resolver sends astray is explained by that.
    """
    explained = _astray(o)
    if only_ec2messages_missing(o):
        explained.add(EC2MESSAGES)
    return [endpoint for endpoint in _accusable(o) if endpoint.service not in explained]


def judged(o: Observed) -> list[Endpoint]:
    """Those of the required endpoints that the agent reaches directly."""
    return [endpoint for endpoint in required(o) if endpoint.service not in o.proxies]


def reached_publicly(o: Observed) -> list[tuple[Endpoint, Path]]:
    """The required endpoints that work, over public addresses only."""
    found = [(e, o.paths[e.service]) for e in judged(o) if usable(o, e.service)]
    return [(e, path) for e, path in found if all(c.scope == "public" for c in path.reached)]


def broken_paths(o: Observed) -> list[tuple[Endpoint, Path]]:
    """The required endpoints that no TCP connection reached."""
    found = [(e, o.paths[e.service]) for e in judged(o) if e.service in o.paths]
    return [(endpoint, path) for endpoint, path in found if not path.reached]


def names_of(endpoints: Iterable[Endpoint]) -> tuple[str, ...]:
    """Services in the order of CORE_SERVICES, then by name."""
    wanted = {endpoint.service for endpoint in endpoints}
    core = tuple(service for service in CORE_SERVICES if service in wanted)
    return core + tuple(sorted(wanted - set(core)))
