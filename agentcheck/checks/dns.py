"""Does the endpoint's name resolve?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, FAIL, OK
from agentcheck.observations import Facts

ID = "dns"
PER_SERVICE = True
DIRECT = True
REQUIRES = ("imds",)
REQUIRES_PER_SERVICE = ()
PROFILES = ("instance",)


def check(facts: Facts, service: str) -> Finding:
    """An address from getaddrinfo, or from a configured server when that takes too long."""
    name = facts.name(service)
    phases = {"dns": name.duration_s}
    seen = {
        "addresses": list(name.addresses),
        "system": name.system,
        "servers": {answer.server: answer.state for answer in name.servers},
    }
    if name.state == "ok":
        return Finding(OK, ", ".join(name.addresses[:4]), None, name.host, seen, phases)
    status = ERROR if name.state == "failed" else FAIL
    return Finding(status, _TEXTS[name.state], name.state, name.host, seen, phases)


_TEXTS = {
    "nxdomain": "there is no such name (NXDOMAIN)",
    "no-address": "the name has no address",
    "servfail": "the resolver answers SERVFAIL",
    "refused": "the resolver answers REFUSED",
    "unreachable": "the resolver does not answer",
    "failed": "the name could not be resolved",
}
