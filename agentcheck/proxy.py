"""Which proxy the agent takes for a host, by Go's rules. Pure.

Source: golang.org/x/net/http/httpproxy, which Go's ProxyFromEnvironment uses: upper case wins,
ALL_PROXY is ignored, no_proxy is a list of names, suffixes, addresses and networks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Optional, Union

_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def proxy_for(host: str, port: int, environ: Mapping[str, str]) -> Optional[str]:
    """The proxy URL for https to `host`, None for a direct connection."""
    proxy = environ.get("HTTPS_PROXY") or environ.get("https_proxy")
    if not proxy or _excluded(host, port, environ.get("NO_PROXY") or environ.get("no_proxy") or ""):
        return None
    return proxy


def _excluded(host: str, port: int, no_proxy: str) -> bool:
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_matches(rule.strip().lower(), host, port, address) for rule in no_proxy.split(","))


def _matches(rule: str, host: str, port: int, address: Optional[_Address]) -> bool:
    if rule == "*":
        return True
    if not rule:
        return False
    try:
        network = ipaddress.ip_network(rule, strict=False)
    except ValueError:
        pass
    else:
        return address is not None and address in network
    name, colon, rule_port = rule.rpartition(":")
    if colon and rule_port.isdigit():
        if int(rule_port) != port:
            return False
        rule = name
    name = rule[1:] if rule.startswith("*.") else rule  # *.x is .x: only what is below x
    if name.startswith("."):
        return host.endswith(name)
    return host == name or host.endswith(f".{name}")


def _address(host: str) -> Optional[_Address]:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
