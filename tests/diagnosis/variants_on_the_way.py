"""Worlds beside the catalogue's, like variants.py: what can be met on the way to the endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agentcheck.observations import (
    Certificate,
    Comparison,
    Endpoint,
    Imds,
    Instance,
    Name,
    Observed,
    Path,
    Policy,
    ServerAnswer,
    TrustStore,
    Tunnel,
)
from tests.diagnosis.catalogue import (
    BOTH,
    PROXY,
    THREE,
    names,
    paths,
    pinned,
    split,
    through,
    tls,
)
from tests.diagnosis.variants import HERE, ON_SNAP, at, old_agent, six
from tests.worlds import (
    ADDRESSES,
    ALIVE,
    DEAD,
    NOW,
    agent,
    connection,
    healthy,
    host,
    stores,
    with_name,
    with_path,
)

VPC_RESOLVER, OWN_RESOLVER = "10.0.0.2", "10.0.7.7"


def resolvers(state: str, *servers: ServerAnswer, **changes: Any) -> Observed:
    """Both names end in that state after those servers were asked."""
    world = healthy(channel=DEAD)
    for service in BOTH:
        made = Name(host(service), state, (), state, servers, **changes)
        world = replace(world, names={**world.names, service: made}, paths={})
    return world


def compared(world: Observed, service: str, tcp: str, addresses: Sequence[str] = ()) -> Observed:
    """The VPC's own resolver has private addresses for one service, where that is met."""
    addresses = addresses or ADDRESSES[service]
    answer = ServerAnswer("169.254.169.253", "ok", addresses)
    seen = Path(tuple(connection(a, tcp=tcp) for a in addresses))
    return replace(world, comparisons={**world.comparisons, service: Comparison(answer, seen)})


def ports(*numbers: int) -> Observed:
    """Silent endpoints on other ports."""
    world = paths("timeout")
    for service, port in zip(BOTH, numbers):
        endpoint = replace(world.endpoints[service], port=port)
        world = replace(world, endpoints={**world.endpoints, service: endpoint})
    return world


def tunnel(state: str, status: int = 0, **changes: Any) -> Observed:
    """The agent's way through its proxy; directly nothing answers."""
    return replace(through(state, status), paths=paths("timeout").paths, **changes)


def certificate(state: str, **changes: Any) -> Observed:
    made = Certificate("ssm", "Corp CA", ("a.example", "b.example"), NOW - 9e6, NOW - 1e6)
    return paths("ok", tls=state, error=state, certificate=replace(made, **changes))


NOWHERE = Instance()
SILENT, ANSWER = ServerAnswer(OWN_RESOLVER, "timeout"), ServerAnswer(VPC_RESOLVER, "ok")
MANY = [f"10.0.1.{number}" for number in range(10, 16)]

VARIANTS: dict[str, Observed] = {
    **HERE,
    # proxy
    **{
        f"a proxy: {state}": tunnel(state)
        for state in (
            "unresolved",
            "timeout",
            "refused",
            "no-route",
            "prohibited",
            "failed",
            "tls",
            "hangs",
            "not-proxy",
            "invalid",
        )
    },
    "a proxy that wants a password": tunnel("denied", 407),
    "a proxy that does not get there": tunnel("denied", 502),
    "a proxy that gives no status": tunnel("denied"),
    "a snap's proxy in upper case": tunnel(
        "timeout", agent=replace(ON_SNAP, environment={"HTTPS_PROXY": PROXY})
    ),
    "a proxy that was not tried": replace(
        healthy(channel=DEAD), proxies=dict.fromkeys(BOTH, PROXY), paths={}
    ),
    # names
    "the VPC's resolver is silent": resolvers(
        "unreachable", ServerAnswer(VPC_RESOLVER, "timeout"), duration_s=4.0
    ),
    "two resolvers are silent": resolvers(
        "unreachable", ServerAnswer(VPC_RESOLVER, "timeout"), SILENT, duration_s=4.0
    ),
    "a resolver of one's own is silent": resolvers("unreachable", SILENT, duration_s=4.0),
    "a resolver on the instance is silent": resolvers(
        "unreachable", ServerAnswer("127.0.0.1", "timeout"), ServerAnswer("::1", "timeout")
    ),
    "a resolver that answers too late": resolvers("unreachable", SILENT, ANSWER, duration_s=4.0),
    "a resolver that says too late that there is none": resolvers(
        "unreachable", SILENT, replace(ANSWER, state="nxdomain"), duration_s=4.0
    ),
    "a silent resolver before one that answers": replace(
        healthy(),
        names={s: Name(host(s), "ok", ADDRESSES[s], "ok", (SILENT, ANSWER), 4.0) for s in BOTH},
    ),
    "two resolvers that fail": resolvers(
        "refused", ServerAnswer(OWN_RESOLVER, "refused"), ServerAnswer(VPC_RESOLVER, "servfail")
    ),
    "names without addresses": names("no-address"),
    "one name without addresses": with_name(healthy(), "ssm", "no-address"),
    "one name that does not exist": with_name(healthy(), "ssm", "nxdomain"),
    "a name that is pinned in the configuration": replace(
        with_name(healthy(), "ssm", "nxdomain"),
        endpoints={
            **healthy().endpoints,
            "ssm": Endpoint("ssm", "ssm.corp.example", 443, True, "pinned", "/etc/a.json"),
        },
    ),
    "an old agent's ec2messages and nothing else works": replace(
        old_agent(), paths={}, names={s: Name(host(s), "nxdomain") for s in THREE}
    ),
    "an answer of the VPC's resolver that does not work": compared(
        with_name(healthy(), "ssm", "nxdomain"), "ssm", "timeout"
    ),
    "a foreign resolver with public addresses": compared(
        with_path(healthy(), "ssm", connection("52.94.0.10", "public")), "ssm", "ok"
    ),
    "a foreign resolver of an unknown VPC": at(split(), vpc_id="", domain=""),
    "no resolver named": replace(
        split(), names={s: Name(host(s), "servfail", (), "servfail") for s in BOTH}
    ),
    "a pin that still works": replace(pinned(), paths=healthy().paths, channel=ALIVE),
    "a pin beside a name that is gone": replace(
        pinned(),
        names={
            s: replace(pinned().names[s], servers=(ServerAnswer(VPC_RESOLVER, "nxdomain"),))
            for s in BOTH
        },
    ),
    "a pin that fails as DNS does": compared(
        compared(pinned(), "ssm", "timeout"), "ssmmessages", "timeout"
    ),
    # path
    "no neighbour at the address": paths("no-route", same_subnet=True, connect_s=3.1),
    "an instance without IPv4": at(paths("no-route"), local_ipv4=""),
    "a route that prohibits": paths("prohibited"),
    "one silent endpoint": with_path(healthy(), "ssm", connection("10.0.1.10", tcp="timeout")),
    "one silent endpoint and two groups": at(
        with_path(healthy(), "ssm", connection("10.0.1.10", tcp="timeout")),
        security_groups=("sg-1", "sg-2", "web"),
    ),
    "many silent addresses": with_path(
        healthy(channel=DEAD), "ssm", *(connection(a, tcp="timeout") for a in MANY)
    ),
    "a peered network": paths("timeout", "private"),
    "a peered network, and the VPC's own not known": at(paths("timeout", "private"), vpc_cidrs=()),
    "silent over IPv6": with_path(healthy(channel=DEAD), "ssm", six("timeout")),
    "silent on two ports": ports(8443, 9443),
    "silent on one other port": ports(8443, 8443),
    "silent, pinned as DNS says": replace(
        paths("timeout"),
        names={s: replace(n, pinned=n.addresses) for s, n in paths("timeout").names.items()},
    ),
    "silent, of an instance that knows nothing of itself": replace(
        paths("timeout"), imds=Imds("error", instance=NOWHERE)
    ),
    "silent, and connected": replace(paths("timeout"), channel=ALIVE),
    "silent, and connected by its log": replace(paths("timeout"), channel=replace(ALIVE, by="log")),
    "some addresses fail in TLS": with_path(
        healthy(), "ssm", connection("10.0.1.10"), connection("10.0.2.10", tls="hangs", error="")
    ),
    "four silent addresses, met by two kinds of trouble": with_path(
        healthy(channel=DEAD),
        "ssm",
        *(connection(a, tcp="timeout") for a in MANY[:4]),
        six("refused"),
    ),
    "five silent addresses": with_path(
        healthy(channel=DEAD), "ssm", *(connection(a, tcp="timeout") for a in MANY[:5])
    ),
    "many addresses of two resolvers": compared(
        with_path(healthy(), "ssm", *(connection(a, "public") for a in MANY)), "ssm", "ok", MANY
    ),
    "many addresses that do not work either": compared(
        with_name(healthy(), "ssm", "nxdomain"), "ssm", "timeout", MANY
    ),
    "some of many addresses are silent": with_path(
        healthy(), "ssm", connection("10.0.3.3"), *(connection(a, tcp="timeout") for a in MANY)
    ),
    "one endpoint refuses": with_path(healthy(), "ssm", connection("10.0.1.10", tcp="refused")),
    # endpoint
    "one endpoint is missing": with_path(
        healthy(), "ssm", connection("52.94.0.10", "public", "timeout")
    ),
    "no endpoint, and a public address": at(paths("timeout", "public"), public_ipv4="54.1.2.3"),
    "no endpoint over IPv6, and a public address": at(
        with_path(healthy("ssm"), "ssm", six("timeout", scope="public")), public_ipv4="54.1.2.3"
    ),
    "an old agent's endpoint is missing": replace(
        with_path(
            with_name(healthy(*THREE, agent=agent("3.2.2303.0"), channel=DEAD), "ssm", "servfail"),
            "ec2messages",
            connection("52.94.0.12", "public", "timeout"),
        ),
    ),
    "public where it must be private": replace(
        with_path(healthy(), "ssm", connection("52.94.0.10", "public")),
        policy=Policy(require_private="yes"),
    ),
    "all public where it must be private": replace(
        paths("ok", "public"), channel=ALIVE, policy=Policy(require_private="yes")
    ),
    "public where it may be": replace(
        with_path(healthy(), "ssm", connection("52.94.0.10", "public")),
        policy=Policy(require_private="no"),
    ),
    "all public": replace(paths("ok", "public"), channel=ALIVE),
    "two of three public": with_path(
        with_path(healthy(*THREE), "ssm", connection("52.94.0.10", "public")),
        "ssmmessages",
        connection("52.94.0.11", "public"),
    ),
    # tls
    "a store without Amazon's roots": tls("untrusted", "Amazon, Amazon RSA 2048 M01"),
    "an empty store that has a name": replace(
        tls("untrusted"), trust_stores=stores(TrustStore("/etc/ssl/cert.pem", 0))
    ),
    "an issuer that was not seen": paths(
        "ok", tls="untrusted", error="no issuer", certificate=None
    ),
    "a certificate without names": certificate("wrong-name", names=()),
    "a wrong name without a certificate": paths(
        "ok", tls="wrong-name", error="x", certificate=None
    ),
    "a certificate of tomorrow": certificate(
        "not-yet-valid", not_before=NOW + 9e5, not_after=NOW + 9e6
    ),
    "expired without a certificate": paths("ok", tls="expired", error="x", certificate=None),
    "not TLS": tls("not-tls"),
    "cut in the handshake": tls("cut"),
    "a handshake that fails": tls("failed"),
    "a handshake that only we fail": replace(tls("failed"), channel=ALIVE),
    "the gravest of two": with_path(
        healthy(channel=DEAD),
        "ssm",
        connection("10.0.1.10", tls="failed", error="f"),
        connection("10.0.2.10", tls="expired", error="e"),
    ),
    "an intercepting proxy": replace(
        through("ok"),
        tunnels={
            s: Tunnel(
                PROXY, "ok", 200, "", connection("10.0.0.99", tls="untrusted", error="self-signed")
            )
            for s in BOTH
        },
    ),
}
