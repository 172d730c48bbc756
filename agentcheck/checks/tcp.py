"""Does a fresh connection reach the endpoint's port?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import FAIL, OK, WARN
from agentcheck.observations import Facts

ID = "tcp"
PER_SERVICE = True
DIRECT = True
REQUIRES = ("imds",)
REQUIRES_PER_SERVICE = ("dns",)
PROFILES = ("instance",)


def check(facts: Facts, service: str) -> Finding:
    """Every resolved address is tried; one of either family is enough."""
    path, host = facts.path(service), facts.name(service).host
    by_state: dict[str, list[str]] = {}
    for seen in path.connections:
        by_state.setdefault(seen.tcp, []).append(seen.address)
    parts = [f"{state}: {', '.join(addresses[:4])}" for state, addresses in by_state.items()]
    text = "; ".join(parts)
    phases = {"connect": max((c.connect_s for c in path.connections), default=0.0)}
    if not path.reached:
        return Finding(FAIL, text, path.failure, host, {"by_state": by_state}, phases)
    status = WARN if path.partly_silent else OK
    reason = "partly-blocked" if path.partly_silent else None
    return Finding(status, text, reason, host, {"by_state": by_state}, phases)
