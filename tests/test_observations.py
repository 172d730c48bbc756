"""Versions are four numbers, wherever they are written."""

from __future__ import annotations

import pytest

from agentcheck.observations import NO_EC2MESSAGES, Path, parse_version
from tests.worlds import connection


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.3.1611.0", (3, 3, 1611, 0)),
        ("3.3.4624.0-1.amzn2023", (3, 3, 4624, 0)),
        ("v3.0.529.0", (3, 0, 529, 0)),
        ("3.3.1611.0-150000.5.20.1", (3, 3, 1611, 0)),
        ("SSM Agent version: 3.3.2299.0", (3, 3, 2299, 0)),
        ("amazon-ssm-agent - v3.3.0.0\n", (3, 3, 0, 0)),
    ],
)
def test_a_version_is_read_out_of_what_surrounds_it(text: str, expected: tuple[int, ...]) -> None:
    assert parse_version(text) == expected


@pytest.mark.parametrize("text", ["", "3.3.1611", "1.2.3.4.5", "three", "3..1.2"])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse_version(text) is None


def test_versions_are_compared_as_numbers() -> None:
    newer = parse_version("3.10.2.0")
    older = parse_version("3.3.39.99")
    assert newer is not None
    assert older is not None
    assert older < NO_EC2MESSAGES < newer


def test_ipv6_without_a_route_does_not_hide_what_ipv4_met() -> None:
    path = Path(
        (connection("2600::1", "public", "no-route"), connection("10.0.1.10", tcp="timeout"))
    )
    assert path.failure == "timeout"


def test_dead_ipv6_beside_working_ipv4_is_not_partly_blocked() -> None:
    path = Path((connection("2600::1", "public", "timeout"), connection("10.0.1.10")))
    assert path.usable
    assert not path.partly_blocked
