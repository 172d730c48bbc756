"""Causes about the way to the endpoints: routes, endpoints, security groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentcheck.diagnosis.rows import (
    CauseRow,
    Explain,
    aws,
    broken_paths,
    create_endpoint,
    group_id,
    group_names,
    judged,
    listing,
    names_of,
)
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import SSMMESSAGES, Connection, Endpoint, Observed, Path

Broken = tuple[Endpoint, Path]
_SHOWN = 4  # addresses named in a line; the rest is in `endpoints` of the JSON report


def _silent_scopes(path: Path) -> set[str]:
    return {c.scope for c in path.connections if c.tcp == "timeout"}


def _blocked_ones(o: Observed) -> list[Broken]:
    found = [(e, p) for e, p in broken_paths(o) if p.failure == "timeout"]
    return [(e, p) for e, p in found if _silent_scopes(p) & {"vpc", "private"}]


def _missing_ones(o: Observed) -> list[Broken]:
    found = [(e, p) for e, p in broken_paths(o) if p.failure == "timeout"]
    return [(e, p) for e, p in found if _silent_scopes(p) == {"public"}]


def _addresses(connections: Sequence[Connection]) -> str:
    shown = [f"{c.address} ({_SCOPES[c.scope]})" for c in connections[:_SHOWN]]
    more = len(connections) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


_SCOPES = {
    "vpc": "in the VPC",
    "private": "private, outside the VPC",
    "public": "public",
}


def _line(endpoint: Endpoint, path: Path) -> str:
    failed = [c for c in path.connections if c.tcp != "ok"]
    what = failed[0].error if failed else "reached"
    return f"{endpoint.host}:{endpoint.port}: {what} from {_addresses(failed or path.connections)}"


def _no_route(o: Observed) -> Iterator[Cause]:
    found = [(e, p) for e, p in broken_paths(o) if p.failure in ("no-route", "prohibited")]
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    addresses = [c.address for _, path in found for c in path.connections]
    slow = any(c.connect_s > 1 for _, path in found for c in path.connections)
    what = "nobody at the address answers on the local network" if slow else "no way to it"
    yield Cause(
        "no-route",
        FAIL,
        f"This host finds no route to {listing(services)}: {what}.",
        [_line(endpoint, path) for endpoint, path in found],
        [
            "Delete the stale address from DNS or the hosts file, or mend the endpoint's network"
            " interface there."
            if slow
            else f"Mend this host's routes: ip route get {addresses[0]} shows what is missing (a"
            " default route, or a reject rule of a host firewall).",
            "A missing route or NAT in the VPC's route table shows as a time-out, not like this.",
        ],
        services,
        reason="no-neighbour" if slow else str(found[0][1].failure),
    )


def _missing(o: Observed) -> Iterator[Cause]:
    found = _missing_ones(o)
    if not found:
        return
    instance = o.instance
    services = names_of(endpoint for endpoint, _ in found)
    others = _private_elsewhere(o)
    evidence = [_line(endpoint, path) for endpoint, path in found]
    steps = [create_endpoint(instance, service) for service in services]
    if others:
        summary = (
            f"There is no VPC endpoint with private DNS for {listing(services)}: the name leads to"
            " public addresses that nothing answers from."
        )
        evidence.append(f"{listing(others)}: private addresses, so the VPC has endpoints")
        first = (
            f"Create the VPC endpoint for {listing(services)} with private DNS, or switch private"
            " DNS on for the one there is."
        )
    else:
        summary = (
            f"{listing(services)} resolve to public addresses that do not answer: no VPC endpoint"
            " with private DNS, no NAT, or port 443 out is closed."
        )
        first = (
            f"Create VPC endpoints for {listing(services)} with private DNS, or give the subnet a"
            " NAT route and let 443 out."
        )
    if not others and instance.public_ipv4:
        evidence.append(f"the instance has the public address {instance.public_ipv4}")
        first = (
            f"Let TCP 443 out in {group_names(instance)} first: the instance has a public address;"
            " else add VPC endpoints with private DNS."
        )
        steps.insert(0, _allow_out(o))
    yield Cause(
        "endpoint-missing",
        FAIL,
        summary,
        evidence,
        [
            first,
            *steps,
            aws(
                instance,
                "ec2 describe-vpc-endpoints"
                f" --filters Name=vpc-id,Values={instance.vpc_id or 'VPC_ID'}",
            ),
        ],
        services,
        reason="some-private" if others else "all-public",
    )


def _private_elsewhere(o: Observed) -> tuple[str, ...]:
    """Services whose names lead to private addresses."""
    return names_of(
        endpoint
        for endpoint in o.endpoints.values()
        if any(c.scope != "public" for c in _connections(o, endpoint.service))
    )


def _connections(o: Observed, service: str) -> Sequence[Connection]:
    path = o.paths.get(service)
    return path.connections if path else ()


def _allow_out(o: Observed) -> str:
    return aws(
        o.instance,
        f"ec2 authorize-security-group-egress --group-id {group_id(o.instance)}"
        " --ip-permissions IpProtocol=tcp,FromPort=443,ToPort=443,"
        "IpRanges=[{CidrIp=0.0.0.0/0}]",
    )


def _allow_in(o: Observed) -> str:
    return aws(
        o.instance,
        "ec2 authorize-security-group-ingress --group-id ENDPOINT_SECURITY_GROUP"
        f" --protocol tcp --port 443 --source-group {group_id(o.instance)}",
    )


def _blocked(o: Observed) -> Iterator[Cause]:
    found = _blocked_ones(o)
    if not found:
        return
    instance = o.instance
    services = names_of(endpoint for endpoint, _ in found)
    scopes = set().union(*(_silent_scopes(path) for _, path in found))
    peered = "vpc" not in scopes
    control = _answering_in_vpc(o)
    evidence = [_line(endpoint, path) for endpoint, path in found]
    groups = group_names(instance)
    if control and not peered:
        evidence.append(
            f"{control} in the same VPC answers on 443, so {groups} lets 443 out: the endpoint's"
            " side is closed"
        )
    if o.connected is True and SSMMESSAGES in services:
        evidence.append(
            "the agent's old channel still lives, so a security group was closed, not a network ACL"
        )
    inbound = f"endpoint security group: allow TCP 443 in from {groups}"
    if peered:
        first = (
            "See the routes of the peering or transit gateway to these addresses, both ways; then "
            f"{inbound}."
        )
    elif control:
        first = f"In the {inbound}."
    else:
        first = (
            f"Allow TCP 443 in from {groups} in the endpoint security group, and out in"
            f" {groups} itself; then see the network ACLs."
        )
    yield Cause(
        "endpoint-blocked",
        FAIL,
        f"Port 443 of the private addresses of {listing(services)} does not answer:"
        + (
            " a route of the peering is missing or a security group or network ACL drops it."
            if peered
            else " a security group or network ACL drops it."
        ),
        evidence,
        [
            first,
            f"Endpoint's side: {_allow_in(o)}",
            aws(
                instance,
                "ec2 describe-vpc-endpoints --filters"
                f" Name=vpc-id,Values={instance.vpc_id or 'VPC_ID'}"
                " --query VpcEndpoints[].[ServiceName,Groups]",
            ),
            f"Instance's side: {_allow_out(o)}",
            "Network ACLs of the instance's and the endpoints' subnets: 443 to the endpoints and"
            " 1024-65535 back.",
        ],
        services,
        reason="peered" if peered else ("endpoint-side" if control else "either-side"),
    )


def _answering_in_vpc(o: Observed) -> str:
    """An address inside the VPC that answers on port 443: 443 may leave the instance."""
    for endpoint in o.endpoints.values():
        for seen in _connections(o, endpoint.service):
            if endpoint.port == 443 and seen.scope == "vpc" and seen.tcp == "ok":
                return f"{endpoint.host} at {seen.address}"
    return ""


def _partly_blocked(o: Observed) -> Iterator[Cause]:
    found = [
        (e, path.partly_blocked)
        for e in judged(o)
        if (path := o.paths.get(e.service)) and path.usable and path.partly_blocked
    ]
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    yield Cause(
        "endpoint-partly-blocked",
        WARN,
        f"Some addresses of {listing(services)} do not answer while others do: the agent works"
        " until it meets one of them.",
        [
            f"{endpoint.host}: {c.address} ({_SCOPES[c.scope]}): {c.error}"
            for endpoint, dead in found
            for c in dead[:_SHOWN]
        ],
        [
            "Compare the endpoint's network interfaces and subnets: security groups, network ACLs"
            " and routes of the zone that does not answer.",
            aws(
                o.instance,
                "ec2 describe-network-interfaces --filters"
                f" Name=addresses.private-ip-address,Values={found[0][1][0].address}",
            ),
        ],
        services,
        reason="some-addresses",
    )


def _refused(o: Observed) -> Iterator[Cause]:
    found = [(e, p) for e, p in broken_paths(o) if p.failure == "refused"]
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    yield Cause(
        "endpoint-refused",
        FAIL,
        f"Connections to {listing(services)} are refused: a wrong address, or a firewall on this"
        " host rejects them (security groups never refuse).",
        [_line(endpoint, path) for endpoint, path in found],
        [
            "See where the name leads (hosts file, private hosted zone) and what rejects it here:"
            " nft list ruleset, iptables -S.",
        ],
        services,
        reason="refused",
    )


def _public(o: Observed) -> Iterator[Cause]:
    wanted = o.policy.require_private
    found = [
        (e, path)
        for e in judged(o)
        if (path := o.paths.get(e.service))
        and path.usable
        and all(c.scope == "public" for c in path.reached)
    ]
    private = [e for e in judged(o) if any(c.scope != "public" for c in _connections(o, e.service))]
    if not found or wanted == "no" or (wanted == "auto" and not private):
        return
    services = names_of(endpoint for endpoint, _ in found)
    instance = o.instance
    yield Cause(
        "endpoint-public",
        FAIL if wanted == "yes" else WARN,
        f"{listing(services)} {'is' if len(services) == 1 else 'are'} reached over public"
        + (
            " addresses, and require_private = yes."
            if wanted == "yes"
            else " addresses while"
            f" {listing(names_of(private))} {'is' if len(private) == 1 else 'are'} private."
        ),
        [f"{endpoint.host}: {_addresses(path.reached)}" for endpoint, path in found],
        [
            f"Create the VPC endpoint{'s' if len(services) > 1 else ''} for {listing(services)}"
            " with private DNS, or switch private DNS on.",
            *(create_endpoint(instance, service) for service in services),
        ],
        services,
        reason="required-private" if wanted == "yes" else "mixed",
    )


CAUSES = (
    CauseRow(
        "no-route",
        _no_route,
        Explain(
            "This host itself has no way to the endpoint's address.",
            "connect() fails with ENETUNREACH or EHOSTUNREACH (or a prohibit or blackhole route). "
            "After about 3 seconds it means that nobody at an on-link address answers ARP.",
            "ip route get ADDRESS; a default route; reject rules of a host firewall.",
            "endpoint-missing and endpoint-blocked: the VPC's router and its security groups drop "
            "silently, which is a time-out.",
        ),
    ),
    CauseRow(
        "endpoint-missing",
        _missing,
        Explain(
            "The name leads to public addresses, and they cannot be reached from this subnet.",
            "Public addresses and no answer to SYN. If other services lead to private addresses, "
            "exactly this endpoint (or its private DNS) is missing. If all are public, there may "
            "be no endpoints, no NAT, or no way out for 443.",
            "Create the interface endpoint with private DNS in the VPC, or a NAT route.",
            "endpoint-blocked: there the address is private.",
        ),
    ),
    CauseRow(
        "endpoint-blocked",
        _blocked,
        Explain(
            "The endpoint's private address is known, but nothing answers on port 443.",
            "No answer to SYN from any address. Another address of the VPC that answers on 443 "
            "shows that the instance's side is open. A live old channel of the agent beside dead "
            "new connections shows a security group, not a network ACL: only tracked connections "
            "outlive a closed group.",
            "Endpoint's security group: TCP 443 in from the instance's group. Instance's group: "
            "TCP 443 out. Then network ACLs (443 out, 1024-65535 back). Outside the VPC's own "
            "networks look at the peering's or transit gateway's routes first.",
            "endpoint-missing (public address); no-route (this host's own table).",
        ),
    ),
    CauseRow(
        "endpoint-partly-blocked",
        _partly_blocked,
        Explain(
            "Some addresses of an endpoint work and others of the same family do not.",
            "Every resolved address is connected to. Dead IPv6 beside working IPv4 is only a note.",
            "Compare the zones' subnets, network ACLs and the endpoint's interfaces.",
            "endpoint-blocked, where none answers.",
            "None, or an instance that comes and goes.",
        ),
    ),
    CauseRow(
        "endpoint-refused",
        _refused,
        Explain(
            "The connection is refused.",
            "ECONNREFUSED. Neither security groups nor network ACLs refuse: they drop.",
            "Look for a wrong address (hosts file, private hosted zone) or a firewall on the host.",
            "endpoint-blocked.",
        ),
    ),
    CauseRow(
        "endpoint-public",
        _public,
        Explain(
            "The endpoint works, over its public addresses.",
            "Public addresses that answer. A warning when other services are private, a failure "
            "with `require_private = yes`, otherwise only a note.",
            "Create the endpoint, or set `require_private = no` where NAT is meant.",
            "endpoint-missing, where they do not answer.",
            "None.",
        ),
    ),
)
