"""Causes about which addresses the endpoints have: no endpoint, no private DNS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentcheck.diagnosis.path import (
    addresses_text,
    allow_out,
    connections,
    only_ipv6,
    path_line,
    silent_paths,
    silent_scopes,
)
from agentcheck.diagnosis.rows import (
    UPGRADE,
    VPC_CONSOLE,
    CauseRow,
    Explain,
    aws,
    create_endpoint,
    group_names,
    listing,
)
from agentcheck.diagnosis.services import names_of, reached_publicly
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import EC2MESSAGES, Observed


def _missing(o: Observed) -> Iterator[Cause]:
    found = [(e, p) for e, p in silent_paths(o) if silent_scopes(p) == {"public"}]
    if not found:
        return
    instance = o.instance
    services = names_of(endpoint for endpoint, _ in found)
    others = _with_private_addresses(o, services)
    evidence = [path_line(endpoint, path) for endpoint, path in found]
    steps = [create_endpoint(instance, service) for service in services]
    if others:
        summary = (
            f"There is no VPC endpoint with private DNS for {listing(services)}: the name leads to"
            " public addresses that nothing answers from."
        )
        evidence.append(f"{listing(others)}: private addresses, so the VPC has endpoints")
        first = (
            f"Create the VPC endpoint for {listing(services)} with private DNS, or switch private"
            f" DNS on for the one there is ({VPC_CONSOLE}, Create endpoint, or Modify private DNS"
            " name)."
        )
    else:
        resolve = "resolves" if len(services) == 1 else "resolve"
        summary = (
            f"{listing(services)} {resolve} to public addresses that do not answer: no VPC endpoint"
            " with private DNS, no NAT, or port 443 out is closed."
        )
        first = (
            f"Create VPC endpoints for {listing(services)} with private DNS ({VPC_CONSOLE}, Create"
            " endpoint), or give the subnet a NAT route and let 443 out."
        )
    if not others and instance.public_ipv4:
        evidence.append(f"the instance has the public address {instance.public_ipv4}")
        first = (
            f"Let TCP 443 out in {group_names(instance)} first (console: EC2, Instances, Security,"
            " Outbound rules): the instance has a public address; else add VPC endpoints with"
            " private DNS."
        )
        steps.insert(0, allow_out(o, found[0][0].port, only_ipv6(found)))
    yield Cause(
        "endpoint-missing",
        FAIL,
        summary,
        evidence,
        [
            *([UPGRADE] if services == (EC2MESSAGES,) else []),
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


def _with_private_addresses(o: Observed, apart_from: Sequence[str]) -> tuple[str, ...]:
    """The other services whose names lead to private addresses."""
    return names_of(
        endpoint
        for endpoint in o.endpoints.values()
        if endpoint.service not in apart_from
        and any(c.scope != "public" for c in connections(o, endpoint.service))
    )


def _public(o: Observed) -> Iterator[Cause]:
    wanted = o.policy.require_private
    found = reached_publicly(o)
    services = names_of(endpoint for endpoint, _ in found)
    private = _with_private_addresses(o, services)
    if not found or wanted == "no" or (wanted == "auto" and not private):
        return
    instance = o.instance
    yield Cause(
        "endpoint-public",
        FAIL if wanted == "yes" else WARN,
        f"{listing(services)} {'is' if len(services) == 1 else 'are'} reached over public"
        + (
            " addresses, and require_private = yes."
            if wanted == "yes"
            else " addresses while"
            f" {listing(private)} {'is' if len(private) == 1 else 'are'} private."
        ),
        [f"{endpoint.host}: {addresses_text(path.reached)}" for endpoint, path in found],
        [
            f"Create the VPC endpoint{'s' if len(services) > 1 else ''} for {listing(services)}"
            f" with private DNS, or switch private DNS on ({VPC_CONSOLE}).",
            *(create_endpoint(instance, service) for service in services),
        ],
        services,
        reason="required-private" if wanted == "yes" else "mixed",
    )


CAUSES = (
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
