"""Causes about the way to the endpoints: routes, security groups, network ACLs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentcheck.diagnosis.rows import (
    VPC_CONSOLE,
    CauseRow,
    Explain,
    aws,
    group_id,
    group_names,
    hosted_zones,
    listing,
    without_login,
)
from agentcheck.diagnosis.services import broken_paths, judged, names_of
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import SSMMESSAGES, Connection, Endpoint, Observed, Path

_SHOWN = 4  # addresses named in a line; the rest is in `endpoints` of the JSON report


def silent_paths(o: Observed) -> list[tuple[Endpoint, Path]]:
    """The required endpoints from which there is no answer at all."""
    return [(e, path) for e, path in broken_paths(o) if path.failure == "timeout"]


def silent_scopes(path: Path) -> set[str]:
    """The scopes of the addresses that do not answer."""
    return {c.scope for c in path.connections if c.tcp == "timeout"}


def addresses_text(connections: Sequence[Connection]) -> str:
    shown = [f"{c.address} ({_SCOPES.get(c.scope, c.scope)})" for c in connections[:_SHOWN]]
    more = len(connections) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


_SCOPES = {"vpc": "in the VPC"}


def path_line(endpoint: Endpoint, path: Path) -> str:
    """What each address of a path that was not reached met, those that met the same together."""
    by_error: dict[str, list[Connection]] = {}
    for seen in path.connections:
        by_error.setdefault(seen.error, []).append(seen)
    parts = [f"{error}: {addresses_text(found)}" for error, found in sorted(by_error.items())]
    return f"{endpoint.host}:{endpoint.port}: {'; '.join(parts)}"


def _no_route(o: Observed) -> Iterator[Cause]:
    found = [(e, p) for e, p in broken_paths(o) if p.failure in ("no-route", "prohibited")]
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    addresses = [c.address for _, path in found for c in path.connections]
    # On the local network it takes about 3 s of ARP to learn that nobody has the address.
    absent = all(c.same_subnet and c.connect_s > 1 for _, path in found for c in path.connections)
    what = "nobody at the address answers on the local network" if absent else "no way to it"
    lacking = not o.instance.local_ipv4 and not any(
        c.is_ipv6 for _, path in found for c in path.connections
    )
    if lacking:
        what = "it has no IPv4, and they have no other addresses"
    yield Cause(
        "no-route",
        FAIL,
        f"This host finds no route to {listing(services)}: {what}.",
        [path_line(endpoint, path) for endpoint, path in found],
        [
            *(
                [
                    "Give the endpoints IPv6 (dual-stack) and a name with AAAA records, or the"
                    f" subnet DNS64 and NAT64 ({VPC_CONSOLE}, Modify endpoint settings).",
                    aws(
                        o.instance,
                        "ec2 modify-vpc-endpoint --vpc-endpoint-id ENDPOINT_ID"
                        " --ip-address-type dualstack",
                    ),
                ]
                if lacking
                else []
            ),
            "Delete the stale address from DNS or the hosts file, or mend the endpoint's network"
            " interface there."
            if absent
            else f"Mend this host's routes: ip route get {addresses[0]} shows what is missing (a"
            " default route, or a reject rule of a host firewall).",
            "A missing route or NAT in the VPC's route table shows as a time-out, not like this.",
            *without_login(o.instance),
            aws(
                o.instance,
                "ec2 describe-network-interfaces"
                f" --filters Name=addresses.private-ip-address,Values={addresses[0]}",
            ),
        ],
        services,
        reason="ipv4-only" if lacking else "no-neighbour" if absent else str(found[0][1].failure),
    )


def connections(o: Observed, service: str) -> Sequence[Connection]:
    path = o.paths.get(service)
    return path.connections if path else ()


def allow_out(o: Observed, port: int, ipv6: bool) -> str:
    """The command that opens the instance's group to what is outside."""
    ranges = "Ipv6Ranges=[{CidrIpv6=::/0}]" if ipv6 else "IpRanges=[{CidrIp=0.0.0.0/0}]"
    return aws(
        o.instance,
        f"ec2 authorize-security-group-egress --group-id {group_id(o.instance)}"
        f" --ip-permissions IpProtocol=tcp,FromPort={port},ToPort={port},{ranges}",
    )


def _allow_in(o: Observed, port: int) -> str:
    return aws(
        o.instance,
        "ec2 authorize-security-group-ingress --group-id ENDPOINT_SECURITY_GROUP"
        f" --ip-permissions IpProtocol=tcp,FromPort={port},ToPort={port},"
        f"UserIdGroupPairs=[{{GroupId={group_id(o.instance)}}}]",
    )


def only_ipv6(found: Sequence[tuple[Endpoint, Path]]) -> bool:
    """Whether all addresses are IPv6."""
    return all(c.is_ipv6 for _, path in found for c in path.connections)


def _blocked(o: Observed) -> Iterator[Cause]:
    found = [(e, p) for e, p in silent_paths(o) if silent_scopes(p) & {"vpc", "private"}]
    if not found:
        return
    instance = o.instance
    services = names_of(endpoint for endpoint, _ in found)
    scopes = set().union(*(silent_scopes(path) for _, path in found))
    # Without the VPC's networks from IMDS nobody can say what lies outside.
    peered = "vpc" not in scopes and bool(instance.vpc_cidrs)
    ports = sorted({endpoint.port for endpoint, _ in found})
    port, ipv6 = ports[0], only_ipv6(found)
    control = _answering_in_vpc(o, port) if len(ports) == 1 else ""
    evidence = [path_line(endpoint, path) for endpoint, path in found]
    pinned = [e for e, _ in found if (name := o.names.get(e.service)) and name.pinned]
    if pinned:
        evidence.append(f"/etc/hosts pins {listing(names_of(pinned))}")
    groups = group_names(instance)
    if control and not peered:
        evidence.append(
            f"{control} in the same VPC answers on {port}, so {groups} lets {port} out: the"
            " endpoint's side is closed"
        )
    # A line in its log says what was: only a socket shows that what is open may stay.
    if o.connected is True and o.channel.by == "socket" and SSMMESSAGES in services:
        evidence.append(
            "the agent's old channel still lives, so a security group was closed, not a network ACL"
        )
    inbound = f"endpoint security group: allow TCP {port} in from {groups}"
    if peered:
        first = (
            "See the routes of the peering or transit gateway to these addresses, both ways; then "
            f"{inbound}."
        )
    elif control:
        first = f"In the {inbound}."
    else:
        first = (
            f"Allow TCP {port} in from {groups} in the endpoint security group, and out in"
            f" {groups} itself; then see the network ACLs."
        )
    yield Cause(
        "endpoint-blocked",
        FAIL,
        f"Port {' and '.join(map(str, ports))} of the private addresses of"
        f" {listing(services)} does not answer:"
        + (
            " a route of the peering is missing or a security group or network ACL drops it."
            if peered
            else " a security group or network ACL drops it."
        ),
        evidence,
        [
            first,
            "Endpoint's side (console: VPC, Endpoints, the endpoint, Security groups, Inbound"
            f" rules): {_allow_in(o, port)}",
            aws(
                instance,
                "ec2 describe-vpc-endpoints --filters"
                f" Name=vpc-id,Values={instance.vpc_id or 'VPC_ID'}"
                " --query VpcEndpoints[].[ServiceName,Groups]",
            ),
            "Instance's side (console: EC2, Instances, Security, the group, Outbound rules):"
            f" {allow_out(o, port, ipv6)}",
            f"Network ACLs of the instance's and the endpoints' subnets: {port} to the endpoints"
            " and 1024-65535 back.",
        ],
        services,
        reason="peered" if peered else ("endpoint-side" if control else "either-side"),
    )


def _answering_in_vpc(o: Observed, port: int) -> str:
    """An address inside the VPC that answers on the port: it may leave the instance."""
    for endpoint in o.endpoints.values():
        for seen in connections(o, endpoint.service):
            if endpoint.port == port and seen.scope == "vpc" and seen.tcp == "ok":
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
    in_tls = all(c.tcp == "ok" for _, dead in found for c in dead)
    address = found[0][1][0].address
    yield Cause(
        "endpoint-partly-blocked",
        WARN,
        f"Some addresses of {listing(services)} {'fail in TLS' if in_tls else 'do not answer'}"
        " while others work: the agent works until it meets one of them.",
        [
            f"{endpoint.host}: {addresses_text([c])}: {c.error or c.tls}"
            for endpoint, dead in found
            for c in dead[:_SHOWN]
        ],
        [
            f"Find what answers in TLS at {address}: it is not the endpoint, or something"
            " in between interferes."
            if in_tls
            else "Compare the network interfaces and subnets of the endpoint: security groups,"
            " network ACLs and routes of the zone that does not answer"
            f" ({VPC_CONSOLE}, the endpoint, Subnets).",
            aws(
                o.instance,
                "ec2 describe-network-interfaces --filters"
                f" Name=addresses.private-ip-address,Values={address}",
            ),
        ],
        services,
        reason="tls" if in_tls else "some-addresses",
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
        [path_line(endpoint, path) for endpoint, path in found],
        [
            "See where the name leads (hosts file, private hosted zone) and what rejects it here:"
            " nft list ruleset, iptables -S.",
            *without_login(o.instance),
            hosted_zones(o.instance),
        ],
        services,
        reason="refused",
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
)
