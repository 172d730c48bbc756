"""What a report says of each hop on the path from the instance to the service. Pure.

The state of a hop is the worst of its checks. Where port 443 stays silent no check can say on
which side it is closed: that comes from the reason of the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from agentcheck.model import ERROR, FAIL, OK, UNKNOWN, WARN, Report, Result

NOT_REACHED = "not-reached"
_STATES = {OK: OK, WARN: WARN, FAIL: FAIL, ERROR: UNKNOWN}
_RANK = {FAIL: 0, UNKNOWN: 1, WARN: 2, OK: 3, NOT_REACHED: 4}

ONE_OF_TWO = "one of the two"
_HERE = "on the instance"
_WORDS = {
    "timeout": "no answer",
    "no-route": "no route",
    "prohibited": "prohibited",
    "not-tried": "not tried",
    "nxdomain": "no such name",
    "no-address": "no address",
    "unreachable": "resolver silent",
    "not-tls": "not TLS",
}


@dataclass(frozen=True)
class Hop:
    """One stop. `name` is stable (CONTRACT of the page: `data-hop`), `word` is its state for a
    person, `detail` what there is to say of it, perhaps nothing."""

    name: str
    title: str
    state: str
    word: str
    detail: str = ""


def hops(report: Report) -> Sequence[Hop]:
    """The hops in the order of the path. Behind a proxy the direct way is left out."""
    found = [_agent(report), _plain(report, "imds", "Instance metadata (IMDS)", ("imds",))]
    found.append(_plain(report, "role", "Role", ("role", "permission")))
    endpoints = [e for e in report.endpoints if not e.get("proxy")]
    if endpoints or not report.endpoints:
        found.append(_plain(report, "name", "Names (DNS)", ("dns.", "hosts.", "resolver.")))
    if len(endpoints) < len(report.endpoints):
        found.append(_proxy(report))
    if endpoints or not report.endpoints:
        found += _security_groups(report, endpoints)
    found.append(_tls(report))
    found.append(_service(report))
    return [_accused(hop, report) for hop in found]


# Causes that no check of the hop tells of, and the hop that they break.
_ACCUSED = {
    "disk-full": "agent",
    "agent-proxy-covers-imds": "imds",
    "clock-skew": "role",
    "endpoint-public": "endpoint-security-group",
}


def _accused(hop: Hop, report: Report) -> Hop:
    """The hop, no better than a cause that is about it."""
    for cause in report.causes:
        if _ACCUSED.get(cause.code) == hop.name and _RANK.get(cause.status, 9) < _RANK[hop.state]:
            return replace(hop, state=cause.status, word=cause.status, detail=cause.code)
    return hop


def word_of(state: str) -> str:
    """`timeout` as a person says it."""
    return _WORDS.get(state, state)


def checks_of(report: Report, prefixes: Sequence[str]) -> list[Result]:
    """The checks that tell of a hop: `dns.` stands for all required services, `imds` for itself."""
    optional = {str(e.get("service")) for e in report.endpoints if not e.get("required", True)}
    return [
        result
        for result in report.checks
        if any(result.id == p or (p.endswith(".") and result.id.startswith(p)) for p in prefixes)
        and _service_of(result) not in optional
    ]


def _worst(states: Sequence[str]) -> str:
    return min(states, key=lambda state: _RANK[state], default=NOT_REACHED)


def state_of(results: Sequence[Result]) -> str:
    """The worst state of some checks; not-reached where none of them was run."""
    return _worst([_STATES.get(result.status, NOT_REACHED) for result in results])


def _word(report: Report, state: str) -> str:
    if state == NOT_REACHED:
        return "not reached" if report.complete else "not checked"
    return "could not tell" if state == UNKNOWN else state


def _service_of(result: Result) -> str:
    """`tcp.ssm` is about ssm; `agent.log` about none, but nobody asks."""
    return result.id.partition(".")[2]


def _trouble(results: Sequence[Result], state: str, named: bool) -> str:
    """What the checks say that gave the hop its state; the same said of two services once."""
    said: dict[str, list[str]] = {}
    for result in results:
        if _STATES.get(result.status) == state:
            said.setdefault(result.summary, []).append(_service_of(result))
    parts = [f"{', '.join(who)}: {text}" if named else text for text, who in said.items()]
    return "; ".join(parts)


def _plain(report: Report, name: str, title: str, prefixes: Sequence[str]) -> Hop:
    results = checks_of(report, prefixes)
    state = state_of(results)
    named = any(prefix.endswith(".") for prefix in prefixes)
    if state in (FAIL, WARN, UNKNOWN):
        detail = _trouble(results, state, named)
    elif state == NOT_REACHED:
        detail = ""
    elif named:
        detail = ", ".join(dict.fromkeys(_service_of(r) for r in results if r.status == OK))
    else:
        detail = next((r.target or r.summary for r in results if r.status == OK), "")
    return Hop(name, title, state, _word(report, state), detail)


def _agent(report: Report) -> Hop:
    hop = _plain(report, "agent", "SSM Agent", ("agent.",))
    if hop.state in (OK, WARN, FAIL, UNKNOWN):
        results = checks_of(report, ("agent.",))
        version = report.agent.get("running_version") or report.agent.get("version")
        said = "" if hop.state == OK else _trouble(results, hop.state, named=False)
        connected = "connected" if report.agent.get("connected") else ""
        detail = said or ", ".join(str(part) for part in (version, connected) if part)
        return Hop(hop.name, hop.title, hop.state, hop.word, detail)
    return hop


def _inside(result: Result) -> bool:
    """Whether a proxy let it through: what failed then is TLS inside the tunnel."""
    return result.facts.get("state") == OK


def _proxy(report: Report) -> Hop:
    results = checks_of(report, ("proxy.",))
    state = _worst(
        [OK if _inside(r) else _STATES.get(r.status, NOT_REACHED) for r in results],
    )
    urls = [str(e["proxy"].get("url", "")) for e in report.endpoints if e.get("proxy")]
    detail = ", ".join(dict.fromkeys(urls))
    if state not in (OK, NOT_REACHED):
        detail += f" {_trouble(results, state, named=True)}"
    return Hop("proxy", "Proxy of the agent", state, _word(report, state), detail)


def _tls(report: Report) -> Hop:
    through = [r for r in checks_of(report, ("proxy.",)) if _inside(r)]
    results = checks_of(report, ("tls.",)) + through
    state = state_of(results)
    named = _trouble(results, state, named=True)
    detail = named if state not in (OK, NOT_REACHED) else ""
    reached = [_service_of(r) for r in results if r.status in _STATES]
    required = [str(e.get("service")) for e in report.endpoints if e.get("required", True)]
    missed = [service for service in required if service not in reached]
    if state != NOT_REACHED and missed and report.complete:
        detail = "; ".join(part for part in (detail, f"not reached: {', '.join(missed)}") if part)
    return Hop("tls", "TLS", state, _word(report, state), detail)


def _service(report: Report) -> Hop:
    """Reached when every required endpoint is usable: what it answers is the role's matter."""
    required = [e for e in report.endpoints if e.get("required", True)]
    reached = [e for e in required if usable(e)]
    region = str(report.instance.get("region") or "")
    state = OK if required and len(reached) == len(required) else NOT_REACHED
    word = _word(report, state)
    if reached and state == NOT_REACHED:
        word = f"{len(reached)} of {len(required)} endpoints reached"
    return Hop("service", "AWS Systems Manager", state, word, region)


def usable(endpoint: Mapping[str, Any]) -> bool:
    """Whether TLS to one of its addresses works, or through the proxy."""
    way = endpoint.get("proxy")
    if way:
        return bool(way.get("state") == OK)
    return any(row.get("tls") == OK for row in endpoint.get("addresses", ()))


def _security_groups(report: Report, endpoints: Sequence[Mapping[str, Any]]) -> Iterator[Hop]:
    """The instance's, out, and the endpoint's, in. Other things that port 443 can meet there
    (routes, a missing endpoint) are named in their place, since they are what is to be mended."""
    tried = {_service_of(r): r for r in checks_of(report, ("tcp.",)) if r.status in _STATES}
    met = [_sides(report, e, tried[e["service"]]) for e in endpoints if e["service"] in tried]
    nothing = (NOT_REACHED, _word(report, NOT_REACHED))
    out, into = (
        min((both[i] for both in met), key=lambda side: _RANK[side[0]], default=nothing)
        for i in (0, 1)
    )
    failing = [service for service, r in tried.items() if r.status not in (OK, ERROR)]
    known = report.instance.get("security_groups")
    groups = ", ".join(map(str, known)) if isinstance(known, list) else ""
    scopes = {row.get("scope") for e in endpoints for row in e.get("addresses", ())}
    title = "Endpoint security group, in"
    if scopes == {"public"}:
        title = "NAT or internet gateway"
    detail = ", ".join(failing) if into[0] in (FAIL, WARN) else ""
    if into[1].startswith(ONE_OF_TWO):
        detail = f"port 443 of {detail} silent; or a network ACL"
        if scopes == {"public"}:
            detail += "; no private endpoint"
    way_out = "Instance security group, out"
    if out[1].endswith(_HERE):
        way_out, groups = "Way out of the instance", ", ".join(failing)
    yield Hop("instance-security-group", way_out, *out, groups)
    yield Hop("endpoint-security-group", title, *into, detail)


_Side = tuple[str, str]


def _sides(report: Report, endpoint: Mapping[str, Any], result: Result) -> tuple[_Side, _Side]:
    """`(state, word)` of what lets 443 out of the instance and of what lets it into the endpoint.

    Security groups drop in silence: a refusal clears them.
    """
    reasons = {cause.code: cause.reason for cause in report.causes}
    if result.status == ERROR:
        return (UNKNOWN, "could not tell"), (UNKNOWN, "could not tell")
    if result.status == WARN:
        return (OK, OK), (WARN, "some addresses silent")
    if result.status == OK:
        return (OK, OK), (OK, OK)
    if result.reason == "refused":
        return (OK, "not the cause"), (FAIL, "refused")
    if result.reason != "timeout":
        if reasons.get("no-route") == "no-neighbour":
            return (OK, "not the cause"), (FAIL, "nobody at the address")
        word = word_of(result.reason or FAIL)
        return (FAIL, f"{word} {_HERE}"), (NOT_REACHED, "not reached")
    return _silence(report, endpoint, reasons)


def _silence(
    report: Report, endpoint: Mapping[str, Any], reasons: Mapping[str, Optional[str]]
) -> tuple[_Side, _Side]:
    either = (FAIL, ONE_OF_TWO)
    lets_out = (OK, "lets 443 out")
    rows = endpoint.get("addresses", ())
    if any(row.get("tcp") == "timeout" and row.get("scope") != "public" for row in rows):
        reason = reasons.get("endpoint-blocked")
        if reason == "endpoint-side":
            return lets_out, (FAIL, "closed")
        if reason == "peered":
            return (FAIL, f"{ONE_OF_TWO}, or a route"), (FAIL, f"{ONE_OF_TWO}, or a route")
        return either, either
    if reasons.get("endpoint-missing") == "some-private":
        answers = any(
            row.get("tcp") == OK and row.get("scope") == "vpc"
            for other in report.endpoints
            for row in other.get("addresses", ())
        )
        return (lets_out if answers else either), (FAIL, "endpoint missing")
    return either, either
