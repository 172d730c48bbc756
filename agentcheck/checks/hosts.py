"""Does the hosts file answer for the endpoint's name otherwise than DNS?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import FAIL, OK, WARN
from agentcheck.observations import Facts

ID = "hosts"
PER_SERVICE = True
DIRECT = True
REQUIRES = ("imds",)
REQUIRES_PER_SERVICE = ()
PROFILES = ("instance",)


def check(facts: Facts, service: str) -> Finding:
    """A pinned address goes stale when the endpoint's own change."""
    name = facts.name(service)
    seen = {"pinned": list(name.pinned)}
    if not name.pinned:
        return Finding(OK, "the hosts file does not pin it", None, name.host, seen)
    text = f"the hosts file says {', '.join(name.pinned)}"
    said = name.in_dns
    if said is None:
        return Finding(OK, f"{text}; DNS cannot be asked", "not-compared", name.host, seen)
    if not name.overridden:
        return Finding(OK, f"{text}, as DNS does", "same", name.host, seen)
    text += f", DNS {', '.join(said.addresses) or said.state}"
    found = facts.comparison(service)
    as_bad = found is not None and found.path is not None and not found.path.usable
    status = WARN if facts.path(service).usable or as_bad else FAIL
    return Finding(status, text, "differs", name.host, seen)
