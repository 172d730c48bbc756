"""What in amazon-ssm-agent.json keeps the agent from serving this instance. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from agentcheck.hosts import split_host
from agentcheck.observations import CORE_SERVICES, SSMMESSAGES, AgentConfig

_REGION = r"[a-z]{2,4}(?:-[a-z]+)+-\d"
# AWS's own domains (botocore's partitions; api.aws is that of dual-stack endpoints). A host in any
# other may lead anywhere.
_DOMAINS = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "csp.hci.ic.gov",
    "cloud.adc-e.uk",
)
_DUAL_STACK = ("api.aws", "api.amazonwebservices.com.cn")
# ssm.REGION.DOMAIN, ssm-fips.REGION.DOMAIN, and an endpoint's own name
# vpce-ID[-AZ].ssm.REGION.vpce.DOMAIN.
_HOST = re.compile(
    rf"(?:vpce-[0-9a-z-]+\.)?([a-z0-9.-]+?)(?:-fips)?\.({_REGION})\.(?:vpce\.)?([a-z.-]+)"
)


@dataclass(frozen=True)
class Problem:
    """One setting that cannot work here; `service` is the one whose host it spoils, if any."""

    reason: str
    text: str
    service: Optional[str] = None


def problems(config: AgentConfig, region: str, domain: str = "") -> Sequence[Problem]:
    """Every setting that cannot work here; empty `region` and `domain`: not known."""
    if config.error:
        return [Problem("not-parsed", f"{config.error}: the agent exits")]
    found = []
    # Agent.Region only signs; Mgs.Region also makes the host of ssmmessages.
    regions = (("Agent", config.region, None), ("Mgs", config.messages_region, SSMMESSAGES))
    for section, pinned, service in regions:
        if region and pinned and pinned != region:
            text = f"{section}.Region pins {pinned}, the instance is in {region}"
            found.append(Problem("region", text, service))
    if config.domain in _DOMAINS and domain and config.domain != domain:
        text = f"Agent.ServiceDomain is {config.domain}, the instance's is {domain}"
        made = [service for service in CORE_SERVICES if service not in config.endpoints]
        found += [Problem("domain", text, service) for service in made]
    for service, endpoint in config.endpoints.items():
        problem = _host_problem(service, endpoint, region, domain)
        if problem:
            found.append(Problem("endpoint", problem, service))
    return found


def _host_problem(service: str, endpoint: str, region: str, domain: str) -> Optional[str]:
    """Only hosts in AWS's own scheme can be judged; any other name may lead anywhere."""
    place = split_host(endpoint)
    if place is None:
        return f"the endpoint of {service} is pinned to what is no host"
    parts = _HOST.fullmatch(place[0].lower())
    if not parts or parts[3] not in (*_DOMAINS, *_DUAL_STACK):
        return None
    if parts[1] != service:
        return f"the endpoint of {service} is pinned to {endpoint}, which serves {parts[1]}"
    if region and parts[2] != region:
        return f"{service} is pinned to {endpoint}, the instance is in {region}"
    if domain and parts[3] in _DOMAINS and parts[3] != domain:
        return f"{service} is pinned to {endpoint}, the instance's domain is {domain}"
    if endpoint.lower().startswith("http://"):
        return f"{service} is pinned to {endpoint}, plain http, which it does not serve"
    return None
