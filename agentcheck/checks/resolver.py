"""Does the VPC's own resolver give a private address where ours does not?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import FAIL, NOT_NEEDED, OK, SKIP, WARN
from agentcheck.observations import Facts

ID = "resolver"
PER_SERVICE = True
DIRECT = True
REQUIRES = ("imds",)
REQUIRES_PER_SERVICE = ()
PROFILES = ("instance",)


def check(facts: Facts, service: str) -> Finding:
    """Asked only where our own answer is missing, public or does not work."""
    name, found = facts.name(service), facts.comparison(service)
    if found is None or name.pinned:
        return Finding(SKIP, "no need, or no way, to ask it", NOT_NEEDED, name.host)
    answer = found.answer
    text = f"{answer.server} says {', '.join(answer.addresses[:4]) or answer.state}"
    seen = {"addresses": list(answer.addresses), "state": answer.state}
    if found.path is None:
        return Finding(OK, f"{text}: nothing better", None, name.host, seen)
    if not found.path.usable:
        return Finding(OK, f"{text}, which do not work either", "unusable", name.host, seen)
    works = name.state == "ok" and facts.path(service).usable
    return Finding(WARN if works else FAIL, f"{text}, which work", "split", name.host, seen)
