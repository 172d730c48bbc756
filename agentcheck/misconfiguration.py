"""What in amazon-ssm-agent.json keeps the agent from serving this instance. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Optional

from agentcheck.observations import CORE_SERVICES, AgentConfig

_REGION = r"[a-z]{2,4}(?:-[a-z]+)+-\d"
# ssm.REGION.DOMAIN, ssm-fips.REGION.DOMAIN, and an endpoint's own name
# vpce-ID[-AZ].ssm.REGION.vpce.DOMAIN.
_HOST = re.compile(rf"(?:vpce-[0-9a-z-]+\.)?([a-z0-9]+?)(?:-fips)?\.({_REGION})\.")


def problems(config: AgentConfig, region: str) -> Sequence[tuple[str, str]]:
    """`(reason, text)` for each setting that cannot work here; empty `region`: not known."""
    if config.error:
        return [("not-parsed", f"{config.error}: the agent exits")]
    found = []
    for key, pinned in (("Agent.Region", config.region), ("Mgs.Region", config.messages_region)):
        if region and pinned and pinned != region:
            found.append(("region", f"{key} pins {pinned}, the instance is in {region}"))
    for service, endpoint in config.endpoints.items():
        problem = _host_problem(service, endpoint, region)
        if problem:
            found.append(("endpoint", problem))
    return found


def _host_problem(service: str, endpoint: str, region: str) -> Optional[str]:
    """Only hosts in AWS's own scheme can be judged; any other name may lead anywhere."""
    host = re.sub(r"^[a-z]+://", "", endpoint.lower())
    parts = _HOST.match(host)
    if not parts:
        return None
    if parts[1] in CORE_SERVICES and parts[1] != service:
        return f"the endpoint of {service} is pinned to {endpoint}, which serves {parts[1]}"
    if region and parts[2] != region:
        return f"{service} is pinned to {endpoint}, the instance is in {region}"
    return None
