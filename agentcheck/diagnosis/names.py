"""Causes about the endpoints' names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentcheck.diagnosis.rows import (
    UPGRADE,
    VPC_CONSOLE,
    CauseRow,
    Explain,
    aws,
    create_endpoint,
    hosted_zones,
    listing,
    without_login,
)
from agentcheck.diagnosis.services import judged, names_of
from agentcheck.hosts import vpc_resolvers
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import EC2MESSAGES, Endpoint, Instance, Name, Observed


def _in_states(o: Observed, *states: str) -> list[tuple[Endpoint, Name]]:
    """The required endpoints whose name ended in one of the states."""
    found = [(e, o.names[e.service]) for e in judged(o) if e.service in o.names]
    return [(endpoint, name) for endpoint, name in found if name.state in states]


def _server_remedy(o: Observed, servers: Sequence[str]) -> list[str]:
    instance = o.instance
    vpc = instance.vpc_id or "VPC_ID"
    own = set(vpc_resolvers(instance.vpc_cidrs))
    foreign = [server for server in servers if server not in own]
    if set(servers) & own:
        return [
            "Switch on DNS resolution (enableDnsSupport) of the VPC (console: VPC, Your VPCs,"
            " Actions, Edit VPC settings); if it is on, look for a host firewall that drops port"
            " 53.",
            aws(
                instance, f"ec2 describe-vpc-attribute --vpc-id {vpc} --attribute enableDnsSupport"
            ),
            aws(
                instance, f"ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-support Value=true"
            ),
            *(
                [f"See also whether {listing(foreign)} runs, and lets UDP and TCP 53 in."]
                if foreign
                else []
            ),
        ]
    if servers and all(server.startswith("127.") or server == "::1" for server in servers):
        return [
            "Look at the resolver on this host (resolvectl status, systemctl status"
            " systemd-resolved), or whether /etc/resolv.conf names any server.",
            *_own_resolver(instance),
            *without_login(instance),
        ]
    return [
        f"Let UDP and TCP 53 through to {listing(servers) or 'the resolver'} (its security group,"
        " the route to it) or see whether it runs.",
        *_own_resolver(instance),
        aws(
            instance,
            "ec2 describe-network-interfaces"
            f" --filters Name=addresses.private-ip-address,Values={servers[0] if servers else 'IP'}"
            " --query NetworkInterfaces[].[Description,Groups]",
        ),
    ]


def _own_resolver(instance: Instance) -> list[str]:
    """How to take the VPC's resolver: for every instance, or by hand."""
    vpc = instance.vpc_id or "VPC_ID"
    return [
        "Or use the VPC's own resolver: nameserver 169.254.169.253 in /etc/resolv.conf, or for the"
        " whole VPC (console: VPC, Your VPCs, Actions, Edit VPC settings, DHCP options set):",
        aws(instance, f"ec2 associate-dhcp-options --dhcp-options-id default --vpc-id {vpc}"),
    ]


def _unreachable(o: Observed) -> Iterator[Cause]:
    dead = _in_states(o, "unreachable")
    slow = [
        (endpoint, name)
        for endpoint, name in _in_states(o, "ok", "nxdomain", "no-address")
        if name.silent_before_answer and not name.pinned  # the hosts file asks nobody
    ]
    found = dead or slow
    if not found:
        return
    servers = tuple(
        dict.fromkeys(
            server
            for _, name in found
            for server in (name.silent_servers if dead else name.silent_before_answer)
        )
    )
    does = "do" if len(servers) > 1 else "does"
    who = f"resolver {listing(servers)}" if servers else "configured resolver"
    yield Cause(
        "dns-unreachable",
        FAIL if dead else WARN,
        f"The {who} {does} not answer, so the endpoints' names cannot be resolved."
        if dead
        else f"The {who} {does} not answer; another one does, but every look-up waits for it.",
        [_silence(name) for _, name in found],
        _server_remedy(o, servers),
        names_of(endpoint for endpoint, _ in found),
        reason="silent" if dead else "one-server-silent",
    )


def _silence(name: Name) -> str:
    answered = [answer.server for answer in name.servers if answer.state in ("ok", "nxdomain")]
    if name.state == "unreachable" and answered:
        return (
            f"{name.host}: {listing(answered)} answers, but later than resolv.conf lets the system"
            f" wait (options timeout, attempts): {name.system}"
        )
    who = f" from {listing(name.silent_servers)}" if name.silent_servers else ""
    return f"{name.host}: no answer within {name.duration_s:.1f} s{who}"


def _failing(o: Observed) -> Iterator[Cause]:
    found = _in_states(o, "servfail", "refused")
    if not found:
        return
    servers = tuple(
        dict.fromkeys(
            a.server
            for _, name in found
            for a in name.servers
            if a.state in ("servfail", "refused")
        )
    )
    state = found[0][1].state
    yield Cause(
        "dns-failing",
        FAIL,
        f"The resolver {listing(servers)} answers {state.upper()} for the endpoints' names.",
        [
            f"{name.host}: {', '.join(f'{a.server} {a.state}' for a in name.servers)}"
            for _, name in found
        ],
        [
            f"Mend the resolver {listing(servers)}: its forwarding rule for amazonaws.com, or"
            " whether it may serve this subnet.",
            *_own_resolver(o.instance),
        ],
        names_of(endpoint for endpoint, _ in found),
        reason=state,
    )


def _not_found(o: Observed) -> Iterator[Cause]:
    found = _in_states(o, "nxdomain", "no-address")
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    instance = o.instance
    hosts = [endpoint.host for endpoint, _ in found]
    kind = "has no address" if found[0][1].state == "no-address" else "does not exist"
    plural = len(hosts) > 1
    pinned = [endpoint for endpoint, _ in found if endpoint.pinned]
    upgrade = [UPGRADE] if services == (EC2MESSAGES,) else []
    yield Cause(
        "dns-not-found",
        FAIL,
        f"The name{'s' if plural else ''} {listing(hosts)}"
        f" {kind if not plural else kind.replace('does', 'do').replace('has', 'have')}"
        " in DNS as seen from here.",
        [f"{name.host}: {_what(name)}{_elsewhere(o, e.service)}" for e, name in found],
        [
            *upgrade,
            *_unpin(pinned),
            f"Create the VPC endpoint{'s' if plural else ''} for {listing(services)} with private"
            f" DNS ({VPC_CONSOLE}, Create endpoint), or mend the private hosted zone, Resolver"
            " rule or DNS Firewall that hides the name.",
            *(create_endpoint(instance, e.service) for e, _ in found if not e.pinned),
            hosted_zones(instance),
        ],
        services,
        reason=found[0][1].state,
    )


def _unpin(pinned: Sequence[Endpoint]) -> list[str]:
    """A name that somebody wrote down himself is not made by creating an endpoint."""
    if not pinned:
        return []
    return [
        f"Mend {listing([e.host for e in pinned])} in {pinned[0].pinned}, which sends the agent"
        " there, or take it out: then the agent makes the names itself. Restart the agent.",
    ]


def _elsewhere(o: Observed, service: str) -> str:
    """What the VPC's own resolver says, where it has an answer that does not work either."""
    comparison = o.comparisons.get(service)
    if comparison is None or comparison.path is None:
        return ""
    answer = comparison.answer
    return f"; {answer.server} says {', '.join(answer.addresses[:4])}, which do not work either"


def _what(name: Name) -> str:
    text = "NXDOMAIN" if name.state == "nxdomain" else "no A or AAAA record"
    servers = [a.server for a in name.servers if a.state in ("nxdomain", "no-address")]
    return f"{text} from {listing(servers)}" if servers else text


CAUSES = (
    CauseRow(
        "dns-unreachable",
        _unreachable,
        Explain(
            "The configured resolver does not answer.",
            "getaddrinfo had no answer in time and each configured server, asked by itself, was "
            "silent. If another server answers in time it is a warning: names resolve slowly.",
            "For the Amazon resolver (VPC base + 2, 169.254.169.253): enableDnsSupport of the "
            "VPC; security groups do not filter it. For your own server: its security group, "
            "route and service.",
            "dns-not-found: there it answers that there is no such name.",
        ),
    ),
    CauseRow(
        "dns-failing",
        _failing,
        Explain(
            "The resolver answers with an error (SERVFAIL or REFUSED).",
            "The response code of each configured server.",
            "Mend its forwarding, or use the VPC's own resolver.",
            "dns-unreachable: getaddrinfo alone cannot tell the two apart.",
        ),
    ),
    CauseRow(
        "dns-not-found",
        _not_found,
        Explain(
            "The name of an endpoint does not exist, or has no address.",
            "NXDOMAIN or an empty answer, from getaddrinfo and from the servers themselves.",
            "Create the interface endpoint with private DNS. A private hosted zone for the same "
            "name without the record, a Resolver rule or DNS Firewall hides even public names.",
            "endpoint-missing: there the name has a public address.",
        ),
    ),
)
