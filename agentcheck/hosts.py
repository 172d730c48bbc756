"""Hosts, ports and URLs as people write them in settings of the agent. Pure, and never raises.

Such texts may hold anything, a password too: nothing but host and port is ever taken out of them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Optional

_AUTHORITY = re.compile(
    r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}))(?::(\d{1,5}))?"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
HTTPS = 443


# The VPC's own resolver, besides the base of each of its networks plus two (VPC user guide,
# "Amazon DNS server").
AMAZON_RESOLVERS = ("169.254.169.253", "fd00:ec2::253")


def vpc_resolvers(cidrs: Sequence[str]) -> tuple[str, ...]:
    """The addresses under which the VPC's own resolver answers."""
    networks = (ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)
    own = (str(n[2]) for n in networks if n.version == 4 and n.num_addresses > 2)
    return (*AMAZON_RESOLVERS, *own)


def _authority(text: str) -> Optional[re.Match[str]]:
    """Host and port at the start, after a scheme, user and password that are thrown away.

    A password may hold any of `/?#[`, so the last `@` counts, wherever it stands.
    """
    text = text.strip()
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() if scheme else 0 :].rpartition("@")[2]
    found = _AUTHORITY.match(rest)
    if found is None or rest[found.end() : found.end() + 1] not in ("", "/", "?", "#"):
        return None
    return found


def split_host(text: str) -> Optional[tuple[str, int]]:
    """Host and port of `host`, `host:port` or a URL; None when there is no host in it."""
    found = _authority(text)
    if found is None or not 0 < int(found[2] or HTTPS) < 65536:
        return None
    plain = text.lower().startswith("http://")
    # The dot at the end of a full name is no part of the name that TLS knows.
    return found[1].strip("[]").rstrip("."), int(found[2] or (80 if plain else HTTPS))


def without_secrets(text: str) -> str:
    """A URL or host without user, password, path and query, to be shown."""
    found = _authority(text)
    if found is None:
        return "(unreadable)"
    scheme = _SCHEME.match(text.strip())
    return f"{scheme[1]}://{found[0]}" if scheme else found[0]
