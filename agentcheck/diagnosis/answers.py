"""Causes about who answers for the endpoints' names: the hosts file, a resolver of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import CauseRow, Explain, aws, listing, without_login
from agentcheck.diagnosis.services import names_of, overridden, pin_breaks, split, usable
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import Name, Observed

_STATES = {
    "nxdomain": "NXDOMAIN",
    "no-address": "no address",
    "servfail": "SERVFAIL",
    "refused": "REFUSED",
}


def answer_text(name: Name) -> str:
    """What our own resolver said."""
    return ", ".join(name.addresses[:4]) if name.state == "ok" else _STATES.get(name.state, "?")


def _split(o: Observed) -> Iterator[Cause]:
    found = split(o)
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    broken = [e for e, _ in found if not usable(o, e.service)]
    servers = listing(
        tuple(dict.fromkeys(a.server for e, _ in found for a in o.names[e.service].servers))
    )
    resolver = f"the resolver {servers}" if servers else "the configured resolver"
    vpc = o.instance.vpc_id or "VPC_ID"
    domain = o.instance.domain or "amazonaws.com"
    yield Cause(
        "dns-split",
        FAIL if broken else WARN,
        f"The VPC's own resolver knows the private endpoint of {listing(services)},"
        f" but {resolver} of this instance answers otherwise"
        + ("." if broken else ", with public addresses that work."),
        [
            f"{endpoint.host}: {answer_text(o.names[endpoint.service])} from {resolver};"
            f" {', '.join(c.answer.addresses[:4])} from {c.answer.server}, which can be reached"
            for endpoint, c in found
        ],
        [
            f"Forward {domain} from {resolver} to the VPC's resolver (169.254.169.253 is for"
            " instances only: use a Route 53 Resolver inbound endpoint).",
            "Or take the VPC's resolver on the instance: DHCP options with AmazonProvidedDNS"
            " (console: VPC, Your VPCs, Actions, Edit VPC settings, DHCP options set).",
            aws(o.instance, f"ec2 associate-dhcp-options --dhcp-options-id default --vpc-id {vpc}"),
            aws(o.instance, f"ec2 describe-vpcs --vpc-ids {vpc} --query Vpcs[].DhcpOptionsId"),
        ],
        services,
        reason="unusable" if broken else "public",
    )


def _hosts(o: Observed) -> Iterator[Cause]:
    found = overridden(o)
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    broken = names_of(e for e, _ in found if pin_breaks(o, e.service))
    evidence = []
    for endpoint, name in found:
        said = name.in_dns
        dns = (", ".join(said.addresses[:4]) or _STATES.get(said.state, "?")) if said else "?"
        evidence.append(f"{endpoint.host}: {', '.join(name.pinned)} in /etc/hosts, {dns} in DNS")
    yield Cause(
        "hosts-override",
        FAIL if broken else WARN,
        f"/etc/hosts pins {listing(services)} to addresses that DNS does not give"
        + (
            f", and {listing(broken)} cannot be used there."
            if broken
            else "; they still work."
            if all(usable(o, e.service) for e, _ in found)
            else "; those of DNS fail as well."
        ),
        evidence,
        [
            f"Delete the lines with {listing([endpoint.host for endpoint, _ in found])} from"
            " /etc/hosts (and from what writes them: user data, the image's build).",
            "The agent looks the names up again by itself; restart it to be sure.",
            *without_login(o.instance),
        ],
        services,
        reason="broken" if broken else "differs",
    )


CAUSES = (
    CauseRow(
        "dns-split",
        _split,
        Explain(
            "The resolver that this instance uses does not know the VPC's private endpoints, while "
            "the VPC's own resolver does.",
            "The same name is asked of the VPC's resolver (169.254.169.253, VPC base + 2), once, "
            "where our answer is missing, public or does not work; its private addresses are "
            "connected to. If it does not answer there is no comparison, and no fault.",
            "Let your resolver forward the AWS domain to the VPC (Route 53 Resolver inbound "
            "endpoint), or give the VPC the DHCP options of Amazon's DNS.",
            "dns-not-found and endpoint-missing: there the VPC's own resolver has no private "
            "answer either.",
        ),
    ),
    CauseRow(
        "hosts-override",
        _hosts,
        Explain(
            "A line of the hosts file sends an endpoint's name to an address that DNS does not "
            "give for it (any more).",
            "The hosts file is read beside DNS. It fails if the pinned address does not work, and "
            "is a warning while it does. The same answer in both is only a note.",
            "Delete the line. Addresses of endpoints change when they are made anew.",
            "endpoint-blocked, no-route, tls-wrong-certificate: what a stale address looks like.",
        ),
    ),
)
