"""A report file may be anybody's bytes: what is read as a report can be shown, all of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agentcheck.render import console, html, json, nagios, prometheus, text
from tests.render.test_prometheus import LIVE, REPORT

ADDRESS = {
    "address": "10.0.1.10", "scope": "vpc", "same_subnet": False, "tcp": "ok", "connect_s": 0.1,
    "tls": "ok", "error": None,
}  # fmt: skip
ENDPOINT = {
    "service": "ssm", "host": "ssm.us-east-1.amazonaws.com", "port": 443, "required": True,
    "why": "needed", "name": "ok", "private": True, "proxy": None, "addresses": [ADDRESS],
}  # fmt: skip
PROXY = {"url": "http://10.0.0.99:3128", "state": "denied"}
FULL = replace(
    REPORT,
    instance={
        **REPORT.instance,
        **dict.fromkeys(("availability_zone", "vpc_id", "subnet_id", "local_ipv4"), "text"),
        **dict.fromkeys(("public_ipv4", "ami_id", "instance_type", "partition", "domain"), None),
        "security_groups": ["sg-1"],
        "vpc_cidrs": ["10.0.0.0/16"],
    },
    agent={
        **REPORT.agent,
        **dict.fromkeys(("running", "connected", "needs_ec2messages"), True),
        "package": "deb",
        "path": "/a",
        "proxy": None,
        "pids": [1],
        "endpoint_overrides": {},
    },
    endpoints=(
        ENDPOINT,
        {**ENDPOINT, "service": "ssmmessages", "proxy": PROXY},
        {**ENDPOINT, "service": "kms", "name": "nxdomain", "addresses": []},
    ),
)
DOCUMENT = json.document(FULL)
GONE = object()
JUNK = (GONE, None, 5, -1.5, 10**400, True, "\x1b[31m\udcff", [], [5], {}, {"x": 5}, [[]])


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document."""
    if way:
        yield way
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, (dict, list)):
            yield from places(child, (*way, key))
        else:
            yield (*way, key)


def spoilt(way: tuple[Any, ...], junk: Any) -> Any:
    made = copy.deepcopy(DOCUMENT)
    parent = made
    for key in way[:-1]:
        parent = parent[key]
    if junk is GONE:
        del parent[way[-1]]
    else:
        parent[way[-1]] = junk
    return made


@pytest.mark.parametrize("way", list(places(DOCUMENT)), ids=str)
def test_what_is_not_refused_as_a_report_can_be_shown_in_every_form(way: tuple[Any, ...]) -> None:
    for junk in JUNK:
        try:
            report = json.read(spoilt(way, junk))
        except ValueError:
            continue
        for form in (text, nagios, console):
            form.render(report).encode()
        prometheus.render(report, LIVE).encode()
        html.render(report, LIVE).encode()
        json.render(report).encode()


@pytest.mark.parametrize("depth", [10, 100, 300, 900, 100_000])
def test_what_is_read_can_be_written_however_deep_it_is(depth: int) -> None:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    try:
        report = json.read(spoilt(("checks", 0, "facts"), {"deep": nested}))
    except ValueError:
        assert depth > 10
    else:
        json.render(report)
