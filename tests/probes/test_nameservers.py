"""The configured name servers and the hosts file, as the C library reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcheck.probes import nameservers

HOST = "ssm.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"10.0.1.10 {HOST}\n", ("10.0.1.10",)),
        (f"10.0.1.10\tother {HOST.upper()} # comment\n", ("10.0.1.10",)),
        (f"10.0.1.10 {HOST}\n10.0.2.10 {HOST}\n10.0.1.10 {HOST}\n", ("10.0.1.10", "10.0.2.10")),
        (f"2600::1 {HOST}\nfe80::1%eth0 {HOST}\n", ("2600::1", "fe80::1")),
        (f"# 10.0.1.10 {HOST}\n", ()),
        (f"not-an-address {HOST}\n", ()),
        (f"10.0.1.10 not{HOST}\n", ()),
        ("", ()),
    ],
)
def test_pins_of_the_hosts_file(
    text: str, found: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosts").write_text(text)
    monkeypatch.setattr(nameservers, "HOSTS", tmp_path / "hosts")
    assert nameservers.pinned(HOST) == found


def test_no_hosts_file_pins_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nameservers, "HOSTS", tmp_path / "none")
    assert nameservers.pinned(HOST) == ()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_hosts_file_is_read_without_an_error(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "hosts").write_bytes(raw + b"\n10.0.1.10 " + HOST.encode() + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nameservers, "HOSTS", tmp_path / "hosts")
        assert "10.0.1.10" in nameservers.pinned(HOST)
