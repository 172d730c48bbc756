"""The fake amazon-ssm-agent of a scenario: which program it is, and its orders at start."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Optional
from urllib.parse import unquote, urlsplit

from tests.vpc.plan import INSTANCE_PATH
from tests.vpc.scenario import BOTH, Proxy, Scenario

BINARY = "/usr/bin/amazon-ssm-agent"
SNAP = "/snap/amazon-ssm-agent"
REVISION = "9881"
OLDER_REVISION = "9700"
MISSING_REVISION = "9999"
UPDATER = "/var/lib/amazon/ssm/update/amazon-ssm-agent-updater/3.3.9999.0/updater"
UPDATE_LOCK = "/var/lib/amazon/ssm/update.lock"

# Address and port.
Place = tuple[str, int]


def program(scenario: Scenario, older: bool = False) -> str:
    """The agent that runs; `older`: the one that an update has replaced since."""
    if scenario.agent.installed != "snap":
        return BINARY
    return f"{SNAP}/{OLDER_REVISION if older else REVISION}/amazon-ssm-agent"


def environment(scenario: Scenario) -> dict[str, str]:
    return {"PATH": INSTANCE_PATH, "LANG": "C.UTF-8", **scenario.agent.environment}


def orders(scenario: Scenario) -> int:
    """A file with what agent.c reads at its start."""
    found = channel(scenario)
    # A worker, once the agent has credentials.
    lines = [""] if scenario.credentials_ready or found else []
    needed = found.get("ssm", ()) if scenario.agent.connected is None else ()
    lines += [f"need {address} {port}" for address, port in needed]
    lines += [f"hold {address} {port}" for address, port in found.get("ssmmessages", ())]
    descriptor = os.memfd_create("orders")
    os.write(descriptor, "".join(line + "\n" for line in lines).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def channel(scenario: Scenario) -> dict[str, tuple[Place, ...]]:
    """Places by service that the agent needs at once for its channel; none: no channel.

    Whether they can be reached is for the agent to find out.
    """
    agent = scenario.agent
    if agent.connected is False:
        return {}
    usable = {service: _places(scenario, service) for service in BOTH}
    if agent.connected is None and not (
        scenario.credentials_ready
        and agent.config is None
        and scenario.trust == "test"
        and all(usable.values())
    ):
        return {}
    return usable


def _places(scenario: Scenario, service: str) -> tuple[Place, ...]:
    name = _host(scenario, service)
    proxy = _proxy(scenario, name)
    first = scenario.dns[0] if scenario.dns else None
    if proxy is not None:
        well = proxy.mode == "ok" and _admits(proxy, scenario.agent.environment)
        behind = _answering(scenario, name, scenario.records.get(name))
        return ((proxy.address, proxy.port),) if well and behind else ()
    if first is None or first.mode != "ok":
        return ()
    return _answering(scenario, name, {**scenario.records, **first.records}.get(name))


def _answering(
    scenario: Scenario, name: str, addresses: Optional[tuple[str, ...]]
) -> tuple[Place, ...]:
    """Of a name's addresses those where an endpoint shows a good certificate."""
    found = []
    for address in addresses or ():
        there = [e for e in scenario.endpoints if e.exists and address in e.addresses]
        there.sort(key=lambda endpoint: scenario.name_of(endpoint) != name)
        if there and there[0].tls_mode(address) == "ok":
            found.append((address, there[0].port))
    return tuple(found)


def _host(scenario: Scenario, service: str) -> str:
    """The name that the agent asks for: its configuration counts for an agent said to connect."""
    usual = scenario.host(service)
    if not scenario.agent.connected or scenario.agent.config is None:
        return usual
    try:
        settings = json.loads(scenario.agent.config)
        own = settings.get({"ssm": "Ssm", "ssmmessages": "Mgs"}[service], {})
        region = own.get("Region") or settings.get("Agent", {}).get("Region") or scenario.region
        domain = settings.get("Agent", {}).get("ServiceDomain") or scenario.domain
        name = str(own.get("Endpoint") or f"{service}.{region}.{domain}")
    except (AttributeError, ValueError):
        return usual
    name = name.partition("://")[2] or name
    name = name.partition("/")[0].partition(":")[0]
    return name if scenario.records.get(name) else usual


def _proxy(scenario: Scenario, name: str) -> Optional[Proxy]:
    """The proxy of the VPC that the agent's environment names for a host."""
    environ = scenario.agent.environment
    url = environ.get("HTTPS_PROXY") or environ.get("https_proxy") or ""
    excluded = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    if any(one and ("." + name).endswith("." + one.strip().lstrip(".")) for one in excluded):
        return None
    try:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port
    except ValueError:
        return None
    addresses = scenario.records.get(host) or (host,)
    found = (p for p in scenario.proxies if p.address in addresses and p.port == port)
    return next(found, None)


def _admits(proxy: Proxy, environ: Mapping[str, str]) -> bool:
    parts = urlsplit(environ.get("HTTPS_PROXY") or environ.get("https_proxy") or "")
    told = (unquote(parts.username or ""), unquote(parts.password or ""))
    return not proxy.user or told == (proxy.user, proxy.password)
