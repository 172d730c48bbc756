"""Notes: observations that are nobody's fault. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import listing
from agentcheck.diagnosis.services import judged, names_of, reached_publicly, usable
from agentcheck.model import Note
from agentcheck.observations import Observed


def notes(o: Observed) -> Iterator[Note]:
    """In a fixed order, each code once."""
    for text in _dead_family(o, ipv6=True):
        yield Note("dead-ipv6", text)
    for text in _dead_family(o, ipv6=False):
        if o.instance.local_ipv4:  # an instance without IPv4 has no use for them
            yield Note("dead-ipv4", text)
    public = reached_publicly(o)
    if public:
        services = names_of(endpoint for endpoint, _ in public)
        yield Note("public-addresses", f"{listing(services)} reached over public addresses")
    pins = [(e, o.names[e.service]) for e in judged(o) if e.service in o.names]
    pinned = [e for e, name in pins if name.pinned and name.in_dns and not name.overridden]
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
    translated = [e for e in judged(o) if usable(o, e.service) and _by_nat64(o, e.service)]
    if translated:
        services = names_of(translated)
        yield Note("nat64", f"{listing(services)} reached over NAT64 (64:ff9b::/96)")
    yield from _of_the_agent(o)
    yield from _of_the_call(o)
    offsets = list(o.clock_offsets.values())
    if len(offsets) > 1 and max(offsets) - min(offsets) > 60:
        text = "the clocks of IMDS and of the endpoints disagree"
        yield Note("clocks-disagree", text)


def _dead_family(o: Observed, ipv6: bool) -> Iterator[str]:
    services = []
    for endpoint in judged(o):
        path = o.paths.get(endpoint.service)
        if path is None or not path.usable:
            continue
        alive = {c.is_ipv6 for c in path.connections if c.tls == "ok"}
        dead = [c for c in path.connections if c.tls != "ok" and c.is_ipv6 not in alive]
        if any(c.is_ipv6 is ipv6 for c in dead):
            services.append(endpoint)
    if services:
        one, other = ("IPv6", "IPv4") if ipv6 else ("IPv4", "IPv6")
        yield f"{one} addresses of {listing(names_of(services))} do not work; {other} does"


def _by_nat64(o: Observed, service: str) -> bool:
    return all(c.address.startswith("64:ff9b::") for c in o.paths[service].reached)


def _of_the_agent(o: Observed) -> Iterator[Note]:
    if o.agent is None:
        return
    if o.agent.updating:
        yield Note("agent-updating", "the agent's updater runs: it stops and starts the agent")
    here = o.instance.instance_id
    identity = o.agent.identity
    known = (*identity.former_ids, identity.registered_id, identity.instance_id)
    former = tuple(dict.fromkeys(i for i in known if i.startswith("i-") and i != here))
    if former and o.image is not None:
        text = f"the image holds the agent's state of {listing(former)}; it registers anew"
        yield Note("stale-registration", text)
    elif former and here:
        text = f"the agent keeps state of {listing(former)}; it registers anew as {here}"
        yield Note("stale-registration", text)


# What the answer to the signed call leaves open; it is nobody's fault that is known of.
_UNANSWERED = {
    "throttled": "was throttled",
    "server-error": "met an error of the service",
    "foreign": "was answered by something that is no AWS service",
    "no-answer": "was not answered",
    "other": "met an error that says nothing of the role",
}


def _of_the_call(o: Observed) -> Iterator[Note]:
    found = o.permission
    if found is not None and found.state in _UNANSWERED and o.role and o.role.state == "present":
        what = _UNANSWERED[found.state]
        text = f"the signed call {what} ({found.text}): what the role may do is not known"
        yield Note("signed-call-unanswered", text)
