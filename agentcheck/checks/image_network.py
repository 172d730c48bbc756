"""Does the agent's setup name endpoints or a proxy of the network it was built in?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import OK, WARN
from agentcheck.observations import Facts

ID = "image.network"
REQUIRES = ()
PROFILES = ("image",)


def check(facts: Facts) -> Finding:
    """Pinned hosts, a pinned Region, and proxies of the agent's unit travel with the image."""
    config, proxies = facts.agent().config, facts.image().proxies
    pins = [f"{service} {host}" for service, host in config.endpoints.items()]
    pins += [f"Region {r}" for r in (config.region, config.messages_region) if r]
    pins += [f"domain {config.domain}"] if config.domain else []
    pins += [f"{name} {proxy}" for name, proxy in proxies.items()]
    if pins:
        return Finding(WARN, f"names {', '.join(pins)}", "pinned", config.path or None)
    return Finding(OK, "no endpoint, Region or proxy is named")
