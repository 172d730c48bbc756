"""What became of each endpoint and its addresses, told by where they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentcheck.model import FAIL, OK, WARN, Report
from agentcheck.render.hops import NOT_REACHED, state_of, usable, word_of

# Kinds of address, nearest first. Zones of other subnets cannot be known from the instance.
_PLACES = (
    "same subnet as the instance",
    "other subnets of the VPC",
    "private, outside the VPC",
    "public",
)


@dataclass(frozen=True)
class Address:
    """One address of an endpoint, and what became of it."""

    address: str
    state: str
    word: str


@dataclass(frozen=True)
class Way:
    """All that was seen of one endpoint; `places` its addresses by where they are."""

    service: str
    state: str
    word: str
    detail: str
    places: Sequence[tuple[str, Sequence[Address]]]


def ways(report: Report) -> Sequence[Way]:
    """The endpoints, each with its addresses."""
    return [_way(report, endpoint) for endpoint in report.endpoints]


def place_of(row: Mapping[str, Any]) -> str:
    """Where an address is, as far as the instance can know."""
    if row.get("same_subnet"):
        return _PLACES[0]
    return {"vpc": _PLACES[1], "private": _PLACES[2]}.get(str(row.get("scope")), _PLACES[3])


def _way(report: Report, endpoint: Mapping[str, Any]) -> Way:
    service = str(endpoint.get("service", ""))
    state, word = _end(report, endpoint)
    through = endpoint.get("proxy")
    detail = f"through {through.get('url')}" if through else ""
    by_place: dict[str, list[Address]] = {place: [] for place in _PLACES}
    harmless = state in (OK, WARN)
    for row in () if through else endpoint.get("addresses", ()):
        found = Address(str(row.get("address", "")), *_address(row, harmless))
        by_place[place_of(row)].append(found)
    places = [(place, found) for place, found in by_place.items() if found]
    return Way(service, state, word, detail, places)


def _end(report: Report, endpoint: Mapping[str, Any]) -> tuple[str, str]:
    """How far the way to one endpoint leads."""
    service = str(endpoint.get("service", ""))
    through = endpoint.get("proxy")
    if through:
        told = str(through.get("state", ""))
        if told == "not-tried":
            return NOT_REACHED, word_of(told)
        return (OK, OK) if told == OK else (FAIL, word_of(told))
    ids = [f"{layer}.{service}" for layer in ("dns", "hosts", "resolver", "tcp", "tls")]
    state = state_of([result for result in report.checks if result.id in ids])
    if usable(endpoint):
        return (OK, OK) if state in (OK, NOT_REACHED) else (WARN, WARN)
    if state in (OK, WARN, NOT_REACHED):
        return NOT_REACHED, "not tried"
    rows = endpoint.get("addresses", ())
    if endpoint.get("name") not in (None, OK):
        return state, word_of(str(endpoint["name"]))
    worst = next((r for r in rows if r.get("tcp") == OK), next(iter(rows), None))
    return state, _address(worst, False)[1] if worst else state


def _address(row: Mapping[str, Any], harmless: bool) -> tuple[str, str]:
    """What became of one address; one that fails where others serve is marked less."""
    tcp, tls = str(row.get("tcp", "")), row.get("tls")
    bad = NOT_REACHED if harmless else FAIL
    if tcp != OK:
        return bad, word_of(tcp)
    if tls in (None, OK):
        return OK, OK if tls else "reached"
    return bad, f"TLS {word_of(str(tls))}"
