"""The wire between the instance and its VPC: addresses, routes and packet filters of both ends."""

from __future__ import annotations

import ipaddress

from tests.vpc.artefacts import call, program
from tests.vpc.metadata import MAC
from tests.vpc.scenario import (
    IMDS_ADDRESS,
    IMDS_IPV6,
    INSTANCE_ADDRESS,
    INSTANCE_IPV6,
    IPV6_RESOLVER,
    ROUTER,
    ROUTER_IPV6,
    Rule,
    Scenario,
)

_REJECTIONS = {
    "drop": "drop",
    "tcp-reset": "reject with tcp reset",
    "port-unreachable": "reject with icmpx port-unreachable",
    "host-unreachable": "reject with icmpx host-unreachable",
    "admin-prohibited": "reject with icmpx admin-prohibited",
    "no-route": "reject with icmpx no-route",
}
# Tracking is in force before the first connection, as a security group's is: only then does a
# connection outlive the closing of the group. `denied` and `denied6` are for tests to fill. All of
# it is about the instance: a proxy reaches what that may not.
_VPC_TABLE = """
table inet vpc {{
    set denied {{ type ipv4_addr . inet_service; }}
    set denied6 {{ type ipv6_addr . inet_service; }}
    chain nacl {{ type filter hook input priority -10; policy accept; }}
    chain endpoint {{ type filter hook input priority 0; policy accept; }}
}}
flush chain inet vpc nacl
flush chain inet vpc endpoint
table inet vpc {{
    chain nacl {{
        iifname != "inst0" accept
        {nacl}
    }}
    chain endpoint {{
        ct state established,related accept
        iifname != "inst0" accept
        ip daddr . tcp dport @denied drop
        ip6 daddr . tcp dport @denied6 drop
        {endpoint}
    }}
}}
"""
_INSTANCE_TABLE = """
table inet host {{
    chain output {{ type filter hook output priority 0; policy accept; }}
}}
flush chain inet host output
table inet host {{
    chain output {{
        {instance}
    }}
}}
"""


def addresses(scenario: Scenario) -> set[str]:
    """Every address that somebody in the VPC has, the router's aside."""
    found = {*scenario.imds_addresses, *(proxy.address for proxy in scenario.proxies)}
    found.update(r.address for r in scenario.dns if not ipaddress.ip_address(r.address).is_loopback)
    return found.union(*(e.addresses for e in scenario.endpoints if e.exists))


def connect(scenario: Scenario, instance: int) -> None:
    """Joins this namespace, the VPC's, with that of the process `instance`."""
    lines = [
        "link set lo up",
        f"link add inst0 type veth peer name eth0 address {MAC} netns {instance}",
        f"address add {ROUTER}/24 dev inst0",
        "link set inst0 up",
    ]
    if scenario.ipv6:
        lines.append(f"address add {ROUTER_IPV6}/64 dev inst0 nodad")
    _ip(lines)
    lines = ["link set lo up", "link set eth0 up"]
    if scenario.ipv4:
        lines.append(f"address add {INSTANCE_ADDRESS}/24 dev eth0")
    if scenario.ipv6:
        lines.append(f"address add {INSTANCE_IPV6}/64 dev eth0 nodad")
    _ip(lines, instance)
    _hold(addresses(scenario), set())
    _route(scenario, instance)
    _filter(scenario, instance)


def change(old: Scenario, new: Scenario, instance: int) -> None:
    """Follows a change of the world while everything runs."""
    _hold(addresses(new), addresses(old))
    if _routes(old) != _routes(new):
        _ip([f"route del {text}" for text in _routes(old)], instance)
        _route(new, instance)
    _filter(new, instance)


def _hold(wanted: set[str], held: set[str]) -> None:
    """The VPC has all addresses on its loopback: a router passes nothing on to itself."""
    _ip([f"address del {address} dev lo" for address in _whole(held - wanted)])
    _ip([f"address add {address} dev lo" for address in _whole(wanted - held)])


def _whole(addresses: set[str]) -> list[str]:
    return [f"{address}/128" if ":" in address else f"{address}/32" for address in addresses]


def _routes(scenario: Scenario) -> list[str]:
    found = []
    if scenario.ipv4:
        found.append(
            f"{IMDS_ADDRESS} dev eth0" if scenario.imds_route else f"unreachable {IMDS_ADDRESS}"
        )
        if scenario.default_route:
            found.append(f"default via {ROUTER}")
    if scenario.ipv6:
        found.append(f"{IPV6_RESOLVER} via {ROUTER_IPV6}")
        found.append(
            f"{IMDS_IPV6} via {ROUTER_IPV6}" if scenario.imds_route else f"unreachable {IMDS_IPV6}"
        )
        if scenario.default_route:
            found.append(f"default via {ROUTER_IPV6}")
    return found


def _route(scenario: Scenario, instance: int) -> None:
    _ip([f"route add {text}" for text in _routes(scenario)], instance)


def _filter(scenario: Scenario, instance: int) -> None:
    chains = {
        place: "\n        ".join(
            text for rule in scenario.all_rules if rule.place == place for text in _nft(rule)
        )
        for place in ("nacl", "endpoint", "instance")
    }
    call("nft", "-f", "-", text=_VPC_TABLE.format(**chains))
    _inside(instance, "nft", "-f", "-", text=_INSTANCE_TABLE.format(**chains))


def _nft(rule: Rule) -> list[str]:
    ports = {
        "tcp": f"tcp dport {rule.port}",
        "udp": f"udp dport {rule.port}",
        "any": f"meta l4proto {{ tcp, udp }} th dport {rule.port}",
    }[rule.protocol]
    end = f"{ports} {_REJECTIONS[rule.action]}"
    if not rule.addresses:
        return [end]
    # In plain spelling: nft does not know that of 64:ff9b::52.94.0.10.
    parsed = [ipaddress.ip_address(address) for address in rule.addresses]
    families = {
        "ip": ", ".join(str(address) for address in parsed if address.version == 4),
        "ip6": ", ".join(str(address) for address in parsed if address.version == 6),
    }
    return [f"{family} daddr {{ {some} }} {end}" for family, some in families.items() if some]


def _ip(lines: list[str], instance: int = 0) -> None:
    text = "".join(line + "\n" for line in lines)
    if instance:
        _inside(instance, "ip", "-batch", "-", text=text)
    elif lines:
        call("ip", "-batch", "-", text=text)


def _inside(instance: int, *arguments: str, text: str) -> None:
    inner = [program(arguments[0]), *arguments[1:]]
    call("nsenter", f"--net=/proc/{instance}/ns/net", *inner, text=text)
