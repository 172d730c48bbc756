"""What in amazon-ssm-agent.json keeps the agent from serving this instance. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from agentcheck.hosts import split_host
from agentcheck.observations import CORE_SERVICES, SSMMESSAGES, AgentConfig

_REGION = r"[a-z]{2,4}(?:-[a-z]+)+-\d"
# ssm.REGION.DOMAIN, ssm-fips.REGION.DOMAIN, and an endpoint's own name
# vpce-ID[-AZ].ssm.REGION.vpce.DOMAIN.
_HOST = re.compile(rf"(?:vpce-[0-9a-z-]+\.)?([a-z0-9]+?)(?:-fips)?\.({_REGION})\.")


@dataclass(frozen=True)
class Problem:
    """One setting that cannot work here; `service` is the one whose host it spoils, if any."""

    reason: str
    text: str
    service: Optional[str] = None


def problems(config: AgentConfig, region: str) -> Sequence[Problem]:
    """Every setting that cannot work here; empty `region`: not known."""
    if config.error:
        return [Problem("not-parsed", f"{config.error}: the agent exits")]
    found = []
    # Agent.Region only signs; Mgs.Region also makes the host of ssmmessages.
    regions = (("Agent", config.region, None), ("Mgs", config.messages_region, SSMMESSAGES))
    for section, pinned, service in regions:
        if region and pinned and pinned != region:
            text = f"{section}.Region pins {pinned}, the instance is in {region}"
            found.append(Problem("region", text, service))
    for service, endpoint in config.endpoints.items():
        problem = _host_problem(service, endpoint, region)
        if problem:
            found.append(Problem("endpoint", problem, service))
    return found


def _host_problem(service: str, endpoint: str, region: str) -> Optional[str]:
    """Only hosts in AWS's own scheme can be judged; any other name may lead anywhere."""
    place = split_host(endpoint)
    if place is None:
        return f"the endpoint of {service} is pinned to what is no host"
    parts = _HOST.match(place[0].lower() + ".")
    if not parts:
        return None
    if parts[1] in CORE_SERVICES and parts[1] != service:
        return f"the endpoint of {service} is pinned to {endpoint}, which serves {parts[1]}"
    if region and parts[2] != region:
        return f"{service} is pinned to {endpoint}, the instance is in {region}"
    return None
