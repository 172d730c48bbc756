"""Does TLS to the endpoint succeed against the system's trust store?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, FAIL, OK, WARN
from agentcheck.observations import TOO_LONG, Facts

ID = "tls"
PER_SERVICE = True
DIRECT = True
REQUIRES = ("imds",)
REQUIRES_PER_SERVICE = ("tcp",)
PROFILES = ("instance",)


def check(facts: Facts, service: str) -> Finding:
    """A verified handshake with one of the addresses that TCP reached."""
    path, host = facts.path(service), facts.name(service).host
    tried = [seen for seen in path.connections if seen.tls]
    phases = {"tls": max((seen.tls_s or 0.0 for seen in tried), default=0.0)}
    if path.usable:
        good = next(seen for seen in tried if seen.tls == "ok")
        issuer = good.certificate.issuer if good.certificate else "unknown issuer"
        bad = [seen for seen in path.partly_blocked if seen.tls]
        if bad:
            text = "; ".join(f"{seen.address}: {seen.error or seen.tls}" for seen in bad[:4])
            return Finding(WARN, text, "some-addresses", host, {}, phases)
        return Finding(OK, f"verified, issuer {issuer}", None, host, {}, phases)
    worst = next((seen for seen in tried if seen.tls != TOO_LONG), tried[0])
    status = ERROR if worst.tls == TOO_LONG else FAIL  # the agent takes more than we do
    return Finding(status, worst.error or str(worst.tls), worst.tls, host, {}, phases)
