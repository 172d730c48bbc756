"""Where the agent goes for a service: its own setting, else a name made of Region and domain. Pure.

Source: agent source, common/identity/endpoint/endpoint.go.
"""

from __future__ import annotations

from typing import Optional

from agentcheck.hosts import HTTPS, split_host
from agentcheck.observations import (
    NO_EC2MESSAGES,
    SSMMESSAGES,
    AgentConfig,
    Endpoint,
    Instance,
)

# Domain by Region prefix, where IMDS does not say.
_DOMAINS = (
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-de-", "amazonaws.eu"),
)


def endpoint_of(
    service: str, required: bool, config: AgentConfig, instance: Instance
) -> Optional[Endpoint]:
    """None while the Region is not known, and for a setting that is no host."""
    why = _why(service, required)
    pinned = config.endpoints.get(service)
    if pinned:
        place = split_host(pinned)
        if place is None:
            return None  # agent-misconfigured says so
        return Endpoint(service, *place, required, f"{why}; pinned in {config.path}", config.path)
    region = (config.messages_region if service == SSMMESSAGES else "") or instance.region
    if not region:
        return None
    domain = config.domain or instance.domain or domain_of(region)
    own = config.domain or (config.messages_region if service == SSMMESSAGES else "")
    host = f"{service}.{region}.{domain}"
    return Endpoint(service, host, HTTPS, required, why, config.path if own else "")


def _why(service: str, required: bool) -> str:
    known = {
        "ssm": "the agent registers and reports there",
        "ssmmessages": "sessions and commands run over its channel",
        "ec2messages": f"agents older than {NO_EC2MESSAGES} take commands there",
    }
    return known.get(service, "configured as required" if required else "configured as optional")


def domain_of(region: str) -> str:
    """The DNS domain of a Region's endpoints."""
    return next((d for prefix, d in _DOMAINS if region.startswith(prefix)), "amazonaws.com")
