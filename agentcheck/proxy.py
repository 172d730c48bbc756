"""Which proxy the agent takes for a URL, by Go's rules, and what a proxy's setting says. Pure.

Source: golang.org/x/net/http/httpproxy, which Go's ProxyFromEnvironment uses: upper case wins,
ALL_PROXY is ignored, no_proxy is a list of names, suffixes, addresses and networks.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional, Union
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from agentcheck.hosts import without_secrets

_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
# Go's defaults, where the setting names no port (net/http, transport.go: portMap).
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
# What Go takes for user and password (net/url, validUserinfo).
_USERINFO = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%@:-]*")


@dataclass(frozen=True)
class Proxy:
    """A proxy's setting. `authorization` is the value of Proxy-Authorization, "" for none."""

    scheme: str
    host: str
    port: int
    authorization: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """Without user and password."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{name}:{self.port}"


def proxy_for(
    host: str, port: int, environ: Mapping[str, str], scheme: str = "https"
) -> Optional[str]:
    """The setting that holds for `scheme`://`host`:`port`; None for a direct connection."""
    proxy = _either(environ, f"{scheme}_proxy")
    if not proxy or _excluded(host, port, _either(environ, "no_proxy")):
        return None
    return proxy


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.upper()) or environ.get(name) or ""


def parse(text: str) -> Optional[Proxy]:
    """Reads a setting as Go does; None for one that Go cannot use.

    Without a scheme it is taken for host:port of an http proxy.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host:
        return None
    if "@" in parts.path + parts.query + parts.fragment:
        return None  # the end of a password that was not encoded: the rest is not the host
    if not _USERINFO.fullmatch(parts.netloc.rpartition("@")[0]):
        return None
    return Proxy(parts.scheme, host, port or _PORTS[parts.scheme], _basic(parts))


def _basic(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
    return "Basic " + base64.b64encode(pair).decode("ascii")


def shown(text: str) -> str:
    """A setting without its secrets, for people."""
    proxy = parse(text)
    return proxy.shown if proxy else without_secrets(text)


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
        if rule_port != str(port):
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
