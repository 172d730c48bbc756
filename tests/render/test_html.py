"""The status page: what it shows, that nothing in a report can break out of it, how it looks."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Optional
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcheck.model import (
    ERROR,
    FAIL,
    OK,
    PENDING,
    SKIP,
    UNKNOWN,
    WARN,
    Cause,
    HistoryEntry,
    Live,
    Note,
    Report,
    Result,
)
from agentcheck.render import diagram, html
from agentcheck.render.page_style import STYLE
from tests.render.browser import Browser, served

SERVICES = ("ssm", "ssmmessages")
VOID = {"meta", "br"}


def _row(address: str, tcp: str = "ok", **more: Any) -> dict[str, Any]:
    tls = "ok" if tcp == "ok" else None
    found = {"address": address, "scope": "vpc", "same_subnet": False, "tcp": tcp, "tls": tls}
    return {**found, "connect_s": 0.01, "error": None, **more}


def _endpoint(service: str, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    host = f"{service}.us-east-1.amazonaws.com"
    found = {"service": service, "host": host, "port": 443, "required": True, "why": "always"}
    return {**found, "name": "ok", "private": True, "proxy": None, "addresses": rows, **more}


def _checks(**states: Any) -> tuple[Result, ...]:
    """Results by id with `_` for the dot; a state, or a state and a reason."""
    usual: dict[str, Any] = {"agent_running": OK, "imds": OK, "role": OK}
    for service in SERVICES:
        usual |= {f"dns_{service}": OK, f"tcp_{service}": OK, f"tls_{service}": OK}
    found = []
    for name, state in {**usual, **states}.items():
        status, reason = (state, None) if isinstance(state, str) else state
        found.append(Result(name.replace("_", "."), status, f"{name} says so", reason))
    return tuple(found)


INSTANCE = {
    "instance_id": "i-0abc1234def567890",
    "region": "us-east-1",
    "availability_zone": "us-east-1a",
    "vpc_id": "vpc-0a1b2c3d4e5f60718",
    "subnet_id": "subnet-0123456789abcdef0",
    "vpc_cidrs": ["10.0.0.0/16"],
    "local_ipv4": "10.0.0.50",
    "security_groups": ["sg-0123abcd4567ef890"],
}
HEALTHY = Report(
    agentcheck_version="1.2.3",
    run_id="0" * 32,
    started="2026-11-25T04:00:00.000Z",
    duration_s=0.31,
    trigger="timer",
    profile="instance",
    complete=True,
    verdict=Cause("healthy", OK, "All is well.", remedy=["agentcheck explain healthy"]),
    causes=(),
    notes=(),
    checks=_checks(),
    instance=INSTANCE,
    agent={"version": "3.3.1611.0", "running_version": "3.3.1611.0", "connected": True},
    endpoints=tuple(
        _endpoint(service, _row("10.0.0.9", same_subnet=True), _row("10.0.1.9"))
        for service in SERVICES
    ),
)
COMMAND = "aws ec2 authorize --group-id ENDPOINT_SECURITY_GROUP IpRanges=[{CidrIp=0.0.0.0/0}]"
CAUSE = Cause(
    "endpoint-blocked",
    FAIL,
    "Port 443 of ssm and ssmmessages does not answer.",
    ["ssm: no answer within 3.5 s"],
    ["Open the port.", f"Endpoint's side: {COMMAND}", "aws ec2 describe"],
    SERVICES,
    "either-side",
)


def _with(cause: Optional[Cause], *others: Cause, **changes: Any) -> Report:
    causes = (cause, *others) if cause else ()
    verdict = cause or HEALTHY.verdict
    return replace(HEALTHY, **{"verdict": verdict, "causes": causes, **changes})


def _silent(reason: str, *rows: dict[str, Any], **changes: Any) -> Report:
    """Both services silent, with the reason of the cause."""
    rows = rows or (_row("10.0.1.9", "timeout"),)
    checks = {f"tcp_{s}": (FAIL, "timeout") for s in SERVICES}
    checks |= {f"tls_{s}": SKIP for s in SERVICES}
    endpoints = tuple(_endpoint(service, *rows) for service in SERVICES)
    found = {"checks": _checks(**checks), "endpoints": endpoints, **changes}
    return _with(replace(CAUSE, reason=reason), **found)


BLOCKED = _silent("either-side")
OUTDATED = _with(
    Cause("agent-outdated", WARN, "The agent is old.", remedy=["Upgrade it.", "Or not."]),
    checks=_checks(agent_version=WARN),
)
LIVE = Live(
    OK,
    "healthy",
    "2026-11-24T00:00:00.000Z",
    42.0,
    False,
    {OK: 3},
    [
        HistoryEntry("2026-11-24T00:00:00.000Z", OK, FAIL, "healthy", [], "1" * 32),
        HistoryEntry("2026-11-23T00:00:00.000Z", FAIL, None, "role-missing", ["ssm"], "2" * 32),
    ],
)
NOT_YET = Live(PENDING, PENDING, "", 0.0, False)


class _Strict(HTMLParser):
    """Every element is closed in order; notes the tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, Optional[str]]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, Optional[str]]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attributes}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _hops(report: Report) -> dict[str, str]:
    found = _Strict(html.render(report)).found
    return {a["data-hop"]: a["data-state"] for _, a in found if "data-hop" in a}


def _pages() -> dict[str, str]:
    return {
        "/ok": html.render(HEALTHY),
        "/warn": html.render(OUTDATED),
        "/fail": html.render(BLOCKED, LIVE),
        "/several": html.render(_with(CAUSE, *OUTDATED.causes, notes=(Note("x", "Fine."),))),
        "/pending": html.render(BLOCKED, NOT_YET),
        "/waiting": html.waiting(NOT_YET),
        "/stale": html.render(HEALTHY, replace(LIVE, age_s=4000.0, stale=True)),
        "/big": html.render(_big(), LIVE),
        "/hostile": html.render(_hostile("x<script>alert(1)</script>'\"&\0\u202e" + "W" * 300)),
    }


def _big() -> Report:
    """All services that can be asked for, at the cap of addresses, and many causes."""
    names = [f"service{i}" for i in range(11)]
    rows = [
        _row(f"2600:1f18:1234:5600:abcd:ef12:3456:{i:04x}", scope="public", error="x" * 60)
        for i in range(16)
    ]
    checks = [
        Result(f"{layer}.{name}", OK, "ok: " + ", ".join(str(row["address"]) for row in rows[:4]))
        for layer in ("dns", "hosts", "proxy", "resolver", "tcp", "tls")
        for name in names
    ]
    others = [replace(CAUSE, code=f"cause-{i}", evidence=["x" * 200] * 5) for i in range(5)]
    endpoints = tuple(_endpoint(name, *rows) for name in names)
    return _with(CAUSE, *others, checks=tuple(checks), endpoints=endpoints)


def _hostile(text: str) -> Report:
    """The text in every place of a report that holds any."""
    cause = Cause(text, text, text, [text], [text, f"{text}: aws {text}"], [text], text)
    row = _row(text, text, scope=text, tls=text, error=text)
    good = _row(text, scope=text, error=text)
    endpoints = (
        _endpoint(text, row, good, host=text, why=text, name=text),
        _endpoint(text, row, proxy={"url": text, "state": text}),
    )
    checks = [Result(text, text, text, text, text)]
    checks += [
        Result(f"{layer}{text}", status, text, text, text, {"state": text})
        for layer in ("agent.", "dns.", "tcp.", "tls.", "proxy.")
        for status in (OK, FAIL)
    ]
    checks += [Result("imds", WARN, text, text, text), Result("role", ERROR, text, text, text)]
    return Report(
        text,
        text,
        text,
        1.0,
        text,
        text,
        True,
        cause,
        (cause, cause),
        (Note(text, text),),
        tuple(checks),
        {key: [text] if key in ("vpc_cidrs", "security_groups") else text for key in INSTANCE},
        {"version": text, "running_version": text, "package": text, "path": text},
        endpoints,
    )


def _hostile_live(text: str) -> Live:
    entry = HistoryEntry(text, text, text, text, [text], text)
    return Live(text, text, text, 1.0, True, {text: 1}, [entry])


# --- what it says ------------------------------------------------------------------------------


def test_every_hop_is_ok_where_all_is_well() -> None:
    hops = _hops(HEALTHY)
    assert list(hops) == [
        "agent",
        "imds",
        "role",
        "name",
        "instance-security-group",
        "endpoint-security-group",
        "tls",
        "service",
    ]
    assert set(hops.values()) == {OK}


@pytest.mark.parametrize(
    ("changes", "hop", "state"),
    [
        ({"agent_running": FAIL}, "agent", FAIL),
        ({"agent_enabled": WARN}, "agent", WARN),
        ({"imds": ERROR}, "imds", UNKNOWN),
        ({"imds": SKIP}, "imds", "not-reached"),
        ({"role": FAIL}, "role", FAIL),
        ({"permission": FAIL}, "role", FAIL),
        ({"dns_ssm": FAIL}, "name", FAIL),
        ({"hosts_ssm": WARN}, "name", WARN),
        ({"resolver_ssm": FAIL}, "name", FAIL),
        ({"tls_ssm": FAIL}, "tls", FAIL),
        ({"tcp_ssm": (WARN, "partly-blocked")}, "endpoint-security-group", WARN),
        ({"tcp_ssm": (FAIL, "refused")}, "endpoint-security-group", FAIL),
        ({"tcp_ssm": (FAIL, "refused")}, "instance-security-group", OK),
        ({"tcp_ssm": (FAIL, "no-route")}, "instance-security-group", FAIL),
        ({"tcp_ssm": ERROR}, "instance-security-group", UNKNOWN),
    ],
)
def test_a_hop_has_the_worst_state_of_its_checks(
    changes: dict[str, Any], hop: str, state: str
) -> None:
    assert _hops(replace(HEALTHY, checks=_checks(**changes)))[hop] == state


def test_an_endpoint_that_nobody_requires_breaks_no_hop() -> None:
    optional = _endpoint("s3", required=False, name="nxdomain")
    endpoints = (*HEALTHY.endpoints, optional)
    hops = _hops(replace(HEALTHY, checks=_checks(dns_s3=FAIL, tcp_s3=SKIP), endpoints=endpoints))
    assert set(hops.values()) == {OK}
    assert "no such name" in diagram.render(
        replace(HEALTHY, endpoints=endpoints, checks=_checks(dns_s3=FAIL))
    )


def test_a_cause_that_no_check_of_a_hop_tells_of_marks_the_hop_it_breaks() -> None:
    hops = _hops(_with(Cause("disk-full", FAIL, "No room."), Cause("clock-skew", WARN, "Slow.")))
    assert (hops["agent"], hops["role"], hops["name"]) == (FAIL, WARN, OK)


PUBLIC = _row("52.94.0.10", "timeout", scope="public")


@pytest.mark.parametrize(
    ("report", "out", "into", "word"),
    [
        (BLOCKED, FAIL, FAIL, "one of the two"),
        (_silent("endpoint-side"), OK, FAIL, "closed"),
        (_silent("peered", _row("10.9.0.9", "timeout", scope="private")), FAIL, FAIL, "or a route"),
        (_silent("all-public", PUBLIC), FAIL, FAIL, "no private endpoint"),
    ],
)
def test_silence_accuses_a_side_only_on_evidence(
    report: Report, out: str, into: str, word: str
) -> None:
    hops = _hops(report)
    assert (hops["instance-security-group"], hops["endpoint-security-group"]) == (out, into)
    assert (hops["tls"], hops["service"]) == ("not-reached", "not-reached")
    assert word in _Strict(html.render(report)).text


def test_a_missing_endpoint_clears_the_security_group_that_lets_another_through() -> None:
    report = _with(
        Cause("endpoint-missing", FAIL, "None.", services=["ssm"], reason="some-private"),
        checks=_checks(tcp_ssm=(FAIL, "timeout"), tls_ssm=SKIP),
        endpoints=(_endpoint("ssm", PUBLIC), _endpoint("ssmmessages", _row("10.0.1.9"))),
    )
    hops = _hops(report)
    assert (hops["instance-security-group"], hops["endpoint-security-group"]) == (OK, FAIL)
    assert hops["service"] == "not-reached"
    assert "endpoint missing" in _Strict(html.render(report)).text


def test_behind_a_proxy_the_proxy_stands_in_the_place_of_the_direct_way() -> None:
    proxy = {"url": "http://proxy.corp:3128", "state": "ok"}
    seen = {"state": "ok"}
    checks = [Result("imds", OK, ""), Result("proxy.ssm", OK, "", facts=seen)]
    report = replace(HEALTHY, checks=checks, endpoints=[_endpoint("ssm", proxy=proxy)])
    hops = _hops(report)
    assert "proxy" in hops
    assert not {"name", "instance-security-group", "endpoint-security-group"} & set(hops)
    assert (hops["proxy"], hops["tls"], hops["service"]) == (OK, OK, OK)
    cut = [Result("proxy.ssm", FAIL, "denied", facts={"state": "denied"})]
    proxy = {**proxy, "state": "denied"}
    hops = _hops(replace(report, checks=cut, endpoints=[_endpoint("ssm", proxy=proxy)]))
    assert (hops["proxy"], hops["tls"], hops["service"]) == (FAIL, "not-reached", "not-reached")


def test_tls_that_fails_inside_the_tunnel_is_not_the_proxys_hop() -> None:
    proxy = {"url": "http://proxy.corp:3128", "state": "untrusted"}
    checks = [Result("proxy.ssm", FAIL, "not trusted", "untrusted", facts={"state": "ok"})]
    hops = _hops(replace(HEALTHY, checks=checks, endpoints=[_endpoint("ssm", proxy=proxy)]))
    assert (hops["proxy"], hops["tls"], hops["service"]) == (OK, FAIL, "not-reached")


def test_addresses_are_told_apart_by_place_and_never_by_a_guessed_zone() -> None:
    rows = (
        _row("10.0.0.9", same_subnet=True),
        _row("10.0.1.9"),
        _row("10.9.0.9", scope="private"),
        _row("52.94.0.9", scope="public"),
    )
    text = _Strict(diagram.render(replace(HEALTHY, endpoints=[_endpoint("ssm", *rows)]))).text
    places = ("same subnet as the instance", "other subnets of the VPC", "private, outside the VPC")
    found = [text.index(part) for part in (*places, "public")]
    assert found == sorted(found)
    assert "us-east-1b" not in text


def test_a_dead_address_beside_living_ones_is_not_marked_as_a_failure() -> None:
    rows = (_row("2600:1f18::9", "no-route"), _row("10.0.1.9"))
    drawn = diagram.render(replace(HEALTHY, endpoints=[_endpoint("ssm", *rows)]))
    assert "no route" in drawn
    assert "s-fail" not in drawn


def test_without_any_endpoint_the_path_ends_where_it_is_known_to() -> None:
    report = replace(HEALTHY, endpoints=(), checks=_checks(imds=FAIL)[:2], instance={}, agent={})
    assert _hops(report)["service"] == "not-reached"


def test_what_was_not_asked_for_is_not_checked_rather_than_not_reached() -> None:
    text = _Strict(html.render(replace(HEALTHY, complete=False, checks=()))).text
    assert "not checked" in text
    assert "not reached" not in text


def test_the_page_holds_verdict_steps_evidence_other_causes_and_notes() -> None:
    report = _with(CAUSE, *OUTDATED.causes, notes=(Note("dead-ipv6", "IPv6 is dead."),))
    page = _Strict(html.render(report))
    for part in (
        "FAIL endpoint-blocked",
        CAUSE.summary,
        "Open the port.",
        COMMAND,
        "ssm: no answer within 3.5 s",
        "agent-outdated",
        "IPv6 is dead.",
        "agentcheck 1.2.3",
        "0" * 32,
        "2026-11-25 04:00:00 UTC",
        "agentcheck explain endpoint-blocked",
    ):
        assert part in page.text
    assert [a["data-status"] for t, a in page.found if t == "header"] == [FAIL]


def test_without_live_there_is_no_refresh_and_nothing_of_a_daemon() -> None:
    page = _Strict(html.render(HEALTHY))
    assert not [a for t, a in page.found if a.get("http-equiv") == "refresh"]
    assert "Confirmed" not in page.text
    assert "a" not in [tag for tag, _ in page.found]


def test_the_daemons_page_adds_confirmation_age_history_and_refreshes_itself() -> None:
    page = _Strict(html.render(HEALTHY, LIVE))
    assert [a["content"] for t, a in page.found if a.get("http-equiv") == "refresh"] == ["30"]
    assert "Confirmed: ok healthy since 2026-11-24 00:00:00 UTC" in page.text
    assert "42 s" in page.text
    assert "Stale" not in page.text
    assert "not confirmed yet" not in page.text
    assert "fail role-missing: ssm" in page.text


def test_a_round_that_says_otherwise_is_marked_as_not_confirmed() -> None:
    assert "not confirmed yet" in _Strict(html.render(BLOCKED, LIVE)).text


def test_a_stale_report_is_marked_with_its_age() -> None:
    page = _Strict(html.render(HEALTHY, replace(LIVE, age_s=4000.0, stale=True)))
    assert "Stale." in page.text
    assert "66 min old" in page.text


def test_pending_is_shown_where_the_report_or_the_daemon_says_so() -> None:
    assert "Pending." in _Strict(html.render(BLOCKED, NOT_YET)).text
    pending = _with(replace(CAUSE, status=PENDING))
    page = _Strict(html.render(pending, LIVE))
    assert [a["data-status"] for t, a in page.found if t == "header"] == [PENDING]
    assert "PENDING endpoint-blocked" in page.text


def test_before_the_first_round_the_page_waits() -> None:
    page = _Strict(html.waiting(NOT_YET))
    assert "PENDING" in page.text
    assert [a["data-status"] for t, a in page.found if t == "header"] == [PENDING]
    assert [a for t, a in page.found if a.get("http-equiv") == "refresh"]


def test_a_long_history_is_cut() -> None:
    many = replace(LIVE, history=LIVE.history * 500)
    page = html.render(HEALTHY, many)
    assert "the newest 50 of 1000" in page
    assert len(page.encode()) < 100 * 1024


# --- safe and sound ----------------------------------------------------------------------------

_NAMES = {tag for tag, _ in _Strict(html.render(_hostile("x"), _hostile_live("x"))).found}


_MARKUP = st.sampled_from(["</style><script>", "</title>", "<b x='", '" onload="', "-->", "&lt;"])


@given(st.text(alphabet=st.characters(), min_size=1) | _MARKUP)
def test_no_text_of_a_report_becomes_markup(text: str) -> None:
    plain = _Strict(html.render(_hostile("x"), _hostile_live("x")))
    page = _Strict(html.render(_hostile(text), _hostile_live(text)))
    # Text decides how much is drawn, never what kinds of elements and attributes there are.
    assert {tag for tag, _ in page.found} <= _NAMES | {"text", "tspan"}
    names = {(tag, name) for tag, a in page.found for name in a}
    assert names <= {(tag, name) for tag, a in plain.found for name in a}


@given(st.text(alphabet=st.characters(exclude_categories=()), min_size=1))
def test_any_text_at_all_can_be_sent_and_holds_no_control_character(text: str) -> None:
    page = html.render(_hostile(text), _hostile_live(text))
    page.encode("utf-8")
    assert all(char.isprintable() or char == "\n" for char in page)


@pytest.mark.parametrize("path", sorted(_pages()))
def test_the_page_is_well_formed(path: str) -> None:
    page = _pages()[path]
    parsed = _Strict(page)
    assert page.startswith("<!DOCTYPE html>")
    tags = [tag for tag, _ in parsed.found]
    assert tags.count("h1") == 1
    assert ("html", {"lang": "en"}) in parsed.found
    assert any(a.get("name") == "viewport" for _, a in parsed.found)
    ids = [a["id"] for _, a in parsed.found if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for tag, a in parsed.found if tag == "use"}
    assert targets <= set(ids)
    for svg in re.findall(r"<svg.*?</svg>", page, re.S):
        ElementTree.fromstring(svg)


def test_the_diagram_is_an_image_with_a_name_and_a_description() -> None:
    drawn = ElementTree.fromstring(diagram.render(BLOCKED))
    space = "{http://www.w3.org/2000/svg}"
    assert drawn.get("role") == "img"
    title, told = drawn.find(f"{space}title"), drawn.find(f"{space}desc")
    assert title is not None
    assert told is not None
    assert drawn.get("aria-labelledby") == f"{title.get('id')} {told.get('id')}"
    assert "Endpoint security group, in: one of the two" in (told.text or "")


@pytest.mark.parametrize("path", sorted(_pages()))
def test_nothing_is_fetched_and_nothing_runs(path: str) -> None:
    for tag, attributes in _Strict(_pages()[path]).found:
        assert tag not in ("script", "link", "img", "iframe", "object", "form", "image")
        assert "src" not in attributes
        assert attributes.get("href", "#") in ("#", "/status", "/history", "/metrics") or (
            tag == "use" and attributes["href"].startswith("#sign-")
        )
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "@font-face" not in STYLE


def test_nothing_moves() -> None:
    assert not re.search(r"animation|transition|@keyframes|scroll-behavior", STYLE)


@pytest.mark.parametrize("path", sorted(_pages()))
def test_the_policy_allows_the_very_style_element_and_nothing_else(path: str) -> None:
    styles = re.findall(r"<style>(.*?)</style>", _pages()[path], re.S)
    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    policy = dict(
        part.strip().partition(" ")[::2] for part in html.CONTENT_SECURITY_POLICY.split(";")
    )
    assert policy.pop("style-src") == f"'sha256-{digest}'"
    assert set(policy.values()) == {"'none'"}
    assert "default-src" in policy


def test_the_same_report_gives_the_same_page() -> None:
    assert html.render(BLOCKED, LIVE) == html.render(BLOCKED, LIVE)


def test_a_big_report_gives_a_page_below_100_kib() -> None:
    assert len(html.render(_big(), LIVE).encode()) < 100 * 1024


# --- colours -----------------------------------------------------------------------------------


def _schemes() -> Iterator[tuple[str, dict[str, str]]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.S)
    found = {}
    for name, block in (("light", light), ("dark", dark)):
        found = {**found, **dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))}
        yield name, found


def _luminance(colour: str) -> float:
    """WCAG 2.1, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("scheme", "colours"), list(_schemes()))
def test_every_colour_of_text_keeps_its_contrast_with_every_ground_it_may_stand_on(
    scheme: str, colours: dict[str, str]
) -> None:
    states = [OK, WARN, FAIL, UNKNOWN, PENDING]
    grounds = ["page", "card", "inset"]
    pairs = [(text, ground) for text in ["text", "muted", *states] for ground in grounds]
    pairs += [(text, f"{state}-tint") for state in states for text in ("text", state)]
    for text, ground in pairs:
        assert _contrast(colours[text], colours[ground]) >= 4.5, (scheme, text, ground)


# --- in a browser ------------------------------------------------------------------------------

SIZES = [(360, False), (360, True), (1280, False), (1280, True)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, list[str]]]:
    with served(_pages(), html.CONTENT_SECURITY_POLICY) as found:
        yield found


@pytest.mark.browser
@pytest.mark.parametrize("path", sorted(_pages()))
def test_a_browser_loads_it_without_complaint_and_asks_for_nothing_else(
    browser: Browser, site: tuple[str, list[str]], path: str
) -> None:
    origin, asked = site
    asked.clear()
    browser.open(origin + path)
    assert browser.value("document.styleSheets.length") == 1
    assert browser.value("document.scripts.length") == 0
    assert browser.value("document.cookie") == ""
    assert browser.complaints == []
    assert browser.requests == [origin + path]
    assert set(asked) <= {path, "/favicon.ico"}


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "status", "states"),
    [
        ("/ok", OK, {"agent": OK, "role": OK, "tls": OK, "service": OK}),
        ("/warn", WARN, {"agent": WARN, "role": OK, "service": OK}),
        ("/fail", FAIL, {"name": OK, "endpoint-security-group": FAIL, "tls": "not-reached"}),
        ("/waiting", PENDING, {}),
    ],
)
def test_a_browser_shows_verdict_and_hops(
    browser: Browser, site: tuple[str, list[str]], path: str, status: str, states: dict[str, str]
) -> None:
    browser.open(site[0] + path)
    assert browser.value("document.querySelector('header').dataset.status") == status
    found = browser.value(
        "Object.fromEntries([...document.querySelectorAll('[data-hop]')]"
        ".map(e => [e.dataset.hop, e.dataset.state]))"
    )
    assert {hop: found[hop] for hop in states} == states
    words = browser.value("document.querySelector('h1').innerText")
    assert status.upper() in words


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), SIZES)
@pytest.mark.parametrize("path", sorted(_pages()))
def test_no_window_is_too_narrow_and_no_text_too_pale(
    browser: Browser,
    site: tuple[str, list[str]],
    tmp_path: Path,
    path: str,
    width: int,
    dark: bool,
) -> None:
    browser.open(site[0] + path, width, dark=dark)
    browser.value("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value(_OUTSIDE) == []
    pale = [found for found in browser.value(_CONTRASTS) if found[0] < 4.5]
    assert pale == []
    assert browser.value(_SMALLEST) >= 11
    browser.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 5000


@pytest.mark.browser
def test_a_command_is_selected_as_it_was_written(
    browser: Browser, site: tuple[str, list[str]]
) -> None:
    browser.open(site[0] + "/fail", 360)
    copied = browser.value(
        "(() => { getSelection().selectAllChildren(document.querySelector('pre code'));"
        " return getSelection().toString(); })()"
    )
    assert copied == COMMAND


@pytest.mark.browser
def test_the_focus_is_seen(browser: Browser, site: tuple[str, list[str]]) -> None:
    browser.open(site[0] + "/fail")
    browser.press("Tab")
    assert browser.value("document.activeElement.tagName") == "SUMMARY"
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.browser
def test_the_file_opens_from_a_folder_too(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html.render(BLOCKED), encoding="utf-8")
    browser.open(page.as_uri())
    assert browser.complaints == []
    assert browser.requests == [page.as_uri()]
    assert browser.value("getComputedStyle(document.querySelector('.card')).display") != "inline"


# Texts of the diagram that stick out of it.
_OUTSIDE = """
(() => {
  const svg = document.querySelector('svg.path');
  if (!svg) return [];
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom;
  }).map(e => e.textContent);
})()
"""
# The size at which the smallest text of the page is drawn, in CSS pixels.
_SMALLEST = """
(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = 99;
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || /^(title|desc)$/i.test(e.tagName)) continue;
    const svg = e.closest('svg.path');
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    least = Math.min(least, parseFloat(getComputedStyle(e).fontSize) * scale);
  }
  return least;
})()
"""
# The contrast of every piece of text with what is drawn behind it (boxes of the SVG included).
_CONTRASTS = """
(() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const solid = c => c.length === 3 || (c.length === 4 && c[3] === 1);
  const behind = e => {
    const svg = e.closest('svg.path');
    if (svg) {
      const t = e.getBoundingClientRect();
      const boxes = [...svg.querySelectorAll('rect')].filter(r => {
        const b = r.getBoundingClientRect();
        return b.left <= t.left && b.right >= t.right && b.top <= t.top && b.bottom >= t.bottom;
      }).map(r => rgb(getComputedStyle(r).fill)).filter(solid);
      if (boxes.length) return boxes[boxes.length - 1];
    }
    for (let n = e; n; n = n.parentElement) {
      const c = rgb(getComputedStyle(n).backgroundColor);
      if (solid(c)) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || /^(title|desc)$/i.test(e.tagName)) continue;
    const style = getComputedStyle(e);
    const own = rgb(e.closest('svg.path') ? style.fill : style.color);
    const [a, b] = [light(own), light(behind(e))].sort((x, y) => x - y);
    found.push([(b + 0.05) / (a + 0.05), text, own]);
  }
  return found;
})()
"""
