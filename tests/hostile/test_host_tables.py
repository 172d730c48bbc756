"""Name servers, pinned names and sockets: found in files of any bytes, or said not to be known."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcheck.observations import Socket
from agentcheck.probes import agent_sockets, nameservers
from tests.hostile.rubbish import examples

HOST = "ssm.us-east-1.amazonaws.com"
RESOLV = st.lists(
    st.sampled_from(
        [b"nameserver ", b"nameserver\t", b"10.0.0.2", b"fe80::1%eth0", b"\n", b"#", b"options x"]
    )
    | st.binary(max_size=12),
    max_size=20,
).map(b"".join)


@examples(60)
@given(RESOLV, RESOLV)
def test_any_resolv_conf_names_the_servers_that_the_c_library_asks(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    (tmp_path / "resolv.conf").write_bytes(before + b"\nnameserver 10.9.8.7\n" + after)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nameservers, "CONFIG", tmp_path / "resolv.conf")
        found = nameservers.configured()
    assert 1 <= len(found) <= nameservers.MAX_SERVERS
    assert all(ipaddress.ip_address(server) for server in found)
    assert "10.9.8.7" in found or len(found) == nameservers.MAX_SERVERS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("127.0.0.1",)),
        ("nameserver foo\nnameserver 10.0.0.2\n", ("10.0.0.2",)),
        ("# \xff\xfe\nnameserver 10.0.0.2\n", ("10.0.0.2",)),
        ("nameserver 10.0.0.2 # ours\n nameserver 10.0.0.3\n", ("10.0.0.2",)),
        ("nameserver 10.0.0.2\n" * 50, ("10.0.0.2",) * 3),
        ("#" * (2 << 20), ()),
        (None, ("127.0.0.1",)),
    ],
)
def test_servers_of_resolv_conf(
    text: str, found: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nameservers, "CONFIG", tmp_path / "resolv.conf")
    if text is not None:
        (tmp_path / "resolv.conf").write_text(text, encoding="latin-1")
    assert nameservers.configured() == found


def test_a_resolv_conf_that_is_no_file_names_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "resolv.conf")
    monkeypatch.setattr(nameservers, "CONFIG", tmp_path / "resolv.conf")
    assert nameservers.configured() == ()


def test_a_pin_behind_a_million_others_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nameservers, "HOSTS", tmp_path / "hosts")
    with (tmp_path / "hosts").open("w") as file:
        file.writelines(f"0.0.0.0 advertising{number}.example\n" for number in range(1_000_000))
        file.write(f"10.0.1.10 {HOST}\n")
    assert nameservers.pinned(HOST) == ("10.0.1.10",)


TABLE_HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
ROW = (
    b"   0: 3200000A:C350 0B01000A:01BB 01 00000000:00000000 00:00000000 00000000"
    b"     0        0 4242 1 0000000000000000 20 4 30 10 -1\n"
)
WORDS = st.lists(
    st.sampled_from([b"0:", b"0B01000A:01BB", b"01", b"00000000:00000000", b"4242", b"-1", b":"])
    | st.binary(max_size=9),
    max_size=12,
).map(b" ".join)


@examples(60)
@given(WORDS, WORDS)
def test_the_agents_socket_is_found_between_any_rows(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    (tmp_path / "tcp").write_bytes(TABLE_HEAD + before + b"\n" + ROW + after)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent_sockets, "NET", tmp_path)
        found = list(agent_sockets._sockets(tmp_path / "tcp", {"4242"}))
    assert Socket("10.0.1.11", 443, True, 0, 0) in found


def test_a_table_that_cannot_be_read_to_its_end_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_sockets, "NET", tmp_path)
    assert agent_sockets.probe([os.getpid()]) == ()  # a kernel without such tables
    (tmp_path / "tcp").write_bytes(TABLE_HEAD + ROW * 10)
    monkeypatch.setattr(agent_sockets, "MAX_TABLE", 5 * len(ROW))
    assert agent_sockets.probe([os.getpid()]) is None
