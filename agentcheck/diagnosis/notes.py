"""Notes: observations that are nobody's fault. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import listing
from agentcheck.diagnosis.services import judged, names_of, reached_publicly, usable
from agentcheck.model import Note
from agentcheck.observations import Observed


def notes(o: Observed) -> Iterator[Note]:
    """In a fixed order, each code once."""
    for text in _dead_ipv6(o):
        yield Note("dead-ipv6", text)
    public = reached_publicly(o)
    if public:
        services = names_of(endpoint for endpoint, _ in public)
        yield Note("public-addresses", f"{listing(services)} reached over public addresses")
    pinned = [e for e in judged(o) if e.service in o.names and o.names[e.service].pinned]
    if pinned:
        yield Note("hosts-pinned", f"the hosts file pins {listing(names_of(pinned))}, as DNS does")
    for service, path in o.paths.items():
        if path.left_out:
            yield Note("addresses-left-out", f"{service}: {path.left_out} more addresses not tried")
    optional = [e for e in o.endpoints.values() if not e.required]
    unusable = [e for e in optional if e.service in o.names and not usable(o, e.service)]
    if unusable:
        text = f"optional, not usable from here: {listing(names_of(unusable))}"
        yield Note("optional-endpoint", text)
    offsets = list(o.clock_offsets.values())
    if len(offsets) > 1 and max(offsets) - min(offsets) > 60:
        text = "the clocks of IMDS and of the endpoints disagree"
        yield Note("clocks-disagree", text)


def _dead_ipv6(o: Observed) -> Iterator[str]:
    services = []
    for endpoint in judged(o):
        path = o.paths.get(endpoint.service)
        if path is None or not path.usable:
            continue
        alive = {c.is_ipv6 for c in path.connections if c.tls == "ok"}
        dead = [c for c in path.connections if c.tls != "ok" and c.is_ipv6 not in alive]
        if any(c.is_ipv6 for c in dead):
            services.append(endpoint)
    if services:
        yield f"IPv6 addresses of {listing(names_of(services))} do not answer; IPv4 works"
