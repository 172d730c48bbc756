"""Does the agent's proxy let it through to the endpoint?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, FAIL, NOT_NEEDED, OK, SKIP
from agentcheck.observations import TOO_LONG, Facts

ID = "proxy"
PER_SERVICE = True
REQUIRES = ("imds",)
REQUIRES_PER_SERVICE = ()
PROFILES = ("instance",)


def check(facts: Facts, service: str) -> Finding:
    """CONNECT through the proxy that the agent's environment names, and TLS inside."""
    proxy = facts.proxy(service)
    if proxy is None:
        return Finding(SKIP, "the agent takes no proxy there", reason=NOT_NEEDED)
    tunnel = facts.tunnel(service)
    seen = {"state": tunnel.state, "status": tunnel.status}
    if tunnel.state == "unsupported":
        return Finding(SKIP, tunnel.error, tunnel.state, proxy, seen)
    inside = tunnel.connection
    if inside is None:
        return Finding(FAIL, tunnel.error, tunnel.state, proxy, seen)
    phases = {"connect": inside.connect_s, "tls": inside.tls_s or 0.0}
    if not tunnel.usable:
        status = ERROR if inside.tls == TOO_LONG else FAIL
        return Finding(status, inside.error or str(inside.tls), inside.tls, proxy, seen, phases)
    return Finding(OK, f"lets through, TLS verified inside ({proxy})", None, proxy, seen, phases)
