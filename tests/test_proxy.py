"""The agent's proxy by Go's rules."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcheck.hosts import split_host, without_secrets
from agentcheck.proxy import Proxy, parse, proxy_for, shown

HOST = "ssm.us-east-1.amazonaws.com"
PROXY = "http://user:secret@10.0.0.99:3128"


@pytest.mark.parametrize(
    ("no_proxy", "expected"),
    [
        ("", PROXY),
        ("*", None),
        (HOST, None),
        ("amazonaws.com", None),
        (".amazonaws.com", None),
        ("*.amazonaws.com", None),
        ("zonaws.com", PROXY),
        (f".{HOST}", PROXY),
        ("169.254.169.254, SSM.us-east-1.amazonaws.com", None),
        (f"{HOST}:443", None),
        (f"{HOST}:80", PROXY),
        ("10.0.0.0/8", PROXY),
    ],
)
def test_no_proxy(no_proxy: str, expected: Optional[str]) -> None:
    environ = {"https_proxy": PROXY, "no_proxy": no_proxy}
    assert proxy_for(HOST, 443, environ) == expected


def test_addresses_match_networks_and_loopback_is_never_proxied() -> None:
    environ = {"https_proxy": PROXY, "no_proxy": "10.0.0.0/8"}
    assert proxy_for("10.0.1.10", 443, environ) is None
    assert proxy_for("11.0.1.10", 443, environ) == PROXY
    assert proxy_for("127.0.0.1", 443, {"https_proxy": PROXY}) is None


def test_upper_case_wins_and_other_variables_do_not_count() -> None:
    environ = {"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:1"}
    assert proxy_for(HOST, 443, environ) == "http://a:1"
    assert proxy_for(HOST, 443, {"ALL_PROXY": PROXY, "http_proxy": PROXY}) is None


@pytest.mark.parametrize(
    "secret",
    ["secret", "sec/ret", "sec?ret", "sec#ret", "sec[ret", "sec@ret", "sec:ret", "http://s"],
)
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_user_and_password_are_never_shown(scheme: str, secret: str) -> None:
    shown = f"{scheme}10.0.0.99:3128"
    assert without_secrets(f"{scheme}user:{secret}@10.0.0.99:3128/path?query") == shown


@pytest.mark.parametrize("text", ["", "[bad", "http://", "a b", "u:p@", "h:notaport", "\x1b[31m"])
def test_what_holds_no_host_is_unreadable_and_no_error(text: str) -> None:
    assert without_secrets(text) == "(unreadable)"
    assert split_host(text) is None


@given(st.text())
def test_any_text_is_a_host_or_none(text: str) -> None:
    without_secrets(text)
    split_host(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssm.example.com", ("ssm.example.com", 443)),
        ("ssm.example.com:8443", ("ssm.example.com", 8443)),
        ("https://ssm.example.com/", ("ssm.example.com", 443)),
        ("http://ssm.example.com", ("ssm.example.com", 80)),
        ("[2600::1]:8443", ("2600::1", 8443)),
        ("ssm.example.com:99999", None),
    ],
)
def test_host_and_port(text: str, expected: object) -> None:
    assert split_host(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://10.0.0.99:3128", Proxy("http", "10.0.0.99", 3128)),
        ("10.0.0.99:3128", Proxy("http", "10.0.0.99", 3128)),
        ("proxy.corp", Proxy("http", "proxy.corp", 80)),
        ("https://proxy.corp/", Proxy("https", "proxy.corp", 443)),
        ("HTTP://Proxy.corp:8080", Proxy("http", "proxy.corp", 8080)),
        ("socks5://proxy", Proxy("socks5", "proxy", 1080)),
        ("http://[2600::1]:3128", Proxy("http", "2600::1", 3128)),
        ("http://u:p%2F%40x@proxy:1", Proxy("http", "proxy", 1, "Basic dTpwL0B4")),
        ("http://u@proxy:1", Proxy("http", "proxy", 1, "Basic dTo=")),
        ("http://u:p/w@proxy:3128", None),
        ("http://corp:1234/tail@10.0.0.99:3128", None),
        ("http://corp:1234#tail@10.0.0.99:3128", None),
        ("ftp://proxy:21", None),
        ("http://", None),
        ("http://proxy:99999", None),
        ("http://[broken:1", None),
    ],
)
def test_a_setting_is_read_as_go_reads_it(text: str, expected: Optional[Proxy]) -> None:
    """net/url and net/http: default ports, user and password percent-decoded."""
    assert parse(text) == expected


def test_a_proxy_never_shows_its_password() -> None:
    for text in (
        "http://u:secret@proxy:1",
        "http://u:secret/[x@proxy:1",
        "u:secret@proxy",
        "http://secret:1234/secret@proxy:1",
        "http://secret:1234#secret@proxy:1",
    ):
        assert "secret" not in shown(text)
        assert "secret" not in repr(parse(text))


def test_plain_http_has_a_proxy_of_its_own() -> None:
    """IMDS is plain http: https_proxy alone does not matter to it."""
    assert proxy_for("169.254.169.254", 80, {"https_proxy": PROXY}, "http") is None
    assert proxy_for("169.254.169.254", 80, {"http_proxy": PROXY}, "http") == PROXY
    excluded = {"HTTP_PROXY": PROXY, "no_proxy": "169.254.0.0/16"}
    assert proxy_for("169.254.169.254", 80, excluded, "http") is None


@given(st.text())
def test_any_setting_is_read_without_an_error(text: str) -> None:
    parse(text)
    shown(text)
