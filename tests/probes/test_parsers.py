"""The parsers of the probes: real texts, and whatever else may stand there."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcheck.observations import ServerAnswer, Socket
from agentcheck.probes import agent_package, agent_sockets, agent_unit, imds, resolver, trust_store
from agentcheck.probes.bounded_http import clock_offset
from agentcheck.probes.connection import scope_of
from agentcheck.probes.ssm_agent import parse_config

# A line of /proc/net/tcp on a little-endian machine: 10.0.0.50 to 10.0.1.11:443.
ROW = (
    "   0: 3200000A:C350 0B01000A:01BB 01 {tx:08X}:00000000 00:00000000 {retransmits:08X}"
    "     0        0 4242 1 0000000000000000 20 4 30 10 -1"
)
little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the line is little-endian")


@little_endian
@pytest.mark.parametrize(
    ("tx", "retransmits", "alive"), [(0, 0, True), (120, 0, False), (0, 3, False)]
)
def test_a_socket_with_unacknowledged_data_is_not_alive(
    tx: int, retransmits: int, alive: bool
) -> None:
    row = agent_sockets.parse_row(ROW.format(tx=tx, retransmits=retransmits))
    assert row == ("4242", Socket("10.0.1.11", 443, True, tx, retransmits))
    assert row[1].alive is alive


@little_endian
def test_an_ipv4_peer_in_the_ipv6_table_is_an_ipv4_address() -> None:
    line = ROW.format(tx=0, retransmits=0).replace(
        "0B01000A:01BB", "0000000000000000FFFF00000B01000A:01BB"
    )
    row = agent_sockets.parse_row(line)
    assert row is not None
    assert row[1].peer == "10.0.1.11"


@given(st.text())
def test_any_other_line_is_no_socket(line: str) -> None:
    agent_sockets.parse_row(line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25T04:00:00Z", 1795579200.0),
        ("2026-11-25T04:00:00.123456789Z", 1795579200.0),
        ("2026-11-25T05:00:00+01:00", 1795579200.0),
        ("2026-13-25T04:00:00Z", None),
        ("soon", None),
        (None, None),
        (7, None),
    ],
)
def test_times_of_imds_and_of_the_agent(text: object, expected: float) -> None:
    assert imds.parse_time(text) == expected


def test_a_date_header_is_a_clock() -> None:
    assert clock_offset("Wed, 25 Nov 2026 04:00:00 GMT", 1795579200.0) == 0.5
    assert clock_offset("no date", 0.0) is None
    assert clock_offset("", 0.0) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"Mds": 1}',
        b'{"Ssm": {"Endpoint": 1}}',
        b'{"Agent": {"Region": ["x"]}}',
        b'{"Ssm": {"HealthFrequencyMinutes": "5"}}',
        b'{"Ssm": {"HealthFrequencyMinutes": true}}',
        b'{"Other": NaN}',
    ],
)
def test_a_configuration_that_the_agent_refuses_is_an_error(raw: bytes) -> None:
    assert parse_config("p", raw).error


def test_a_configuration_is_read_as_go_reads_it_without_regard_to_case() -> None:
    document = {"ssm": {"endpoint": "https://x:8443"}, "Agent": {"Region": None}, "Other": 1}
    config = parse_config("p", json.dumps(document).encode())
    assert (config.error, config.endpoints, config.region) == ("", {"ssm": "https://x:8443"}, "")


def test_null_is_unset_and_a_password_in_an_endpoint_is_not_kept() -> None:
    assert parse_config("p", b"null").error == ""
    raw = b'{"Ssm": {"Endpoint": "https://user:sec/ret@ssm.example.com:8443/x"}}'
    assert parse_config("p", raw).endpoints == {"ssm": "https://ssm.example.com:8443"}


@given(st.binary())
def test_any_bytes_are_a_configuration_or_an_error(raw: bytes) -> None:
    parse_config("p", raw)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("install ok installed", "3.3.1611.0-1"), ("deinstall ok config-files", "")],
)
def test_only_an_installed_package_has_a_version(
    status: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "status"
    database.write_text(
        "Package: other\nStatus: install ok installed\nVersion: 1\n\n"
        f"Package: amazon-ssm-agent\nStatus: {status}\nDescription: a\n b\n"
        "Version: 3.3.1611.0-1\n\n"
    )
    monkeypatch.setattr(agent_package, "DPKG_STATUS", database)
    assert agent_package._dpkg_version() == expected


def test_a_binary_that_others_could_have_written_is_never_executed(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    planted = tmp_path / "amazon-ssm-agent"
    planted.write_text(
        f"#!/bin/sh\ntouch {tmp_path}/executed\necho SSM Agent version: 3.3.1611.0\n"
    )
    planted.chmod(0o755)
    assert agent_package._ask_binary(planted) == ""
    assert not (tmp_path / "executed").exists()


def test_a_unit_is_read_from_systemctl_show() -> None:
    unit = agent_unit.parse(
        "amazon-ssm-agent.service",
        "Restart=on-failure\nNRestarts=3\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n"
        "UnitFileState=disabled\nExecMainStatus=0\n",
    )
    assert unit is not None
    assert (unit.restarts, unit.unit_file_state, unit.restart) == (3, "disabled", "on-failure")
    assert agent_unit.parse("x", "Failed to connect to bus") is None


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("10.0.1.10", "vpc"),
        ("100.64.1.10", "vpc"),
        ("100.65.1.10", "private"),
        ("10.9.1.10", "private"),
        ("52.94.0.10", "public"),
        ("fd00::1", "private"),
        ("2600:1f18::1", "public"),
    ],
)
def test_the_scope_of_an_address(address: str, scope: str) -> None:
    assert scope_of(address, ("10.0.0.0/16", "100.64.0.0/16")) == scope


def answer(state: str, *addresses: str) -> ServerAnswer:
    return ServerAnswer("10.0.0.2", state, addresses)


@pytest.mark.parametrize(
    ("system", "addresses", "answers", "expected"),
    [
        ("ok", ("10.0.1.10",), (), "ok"),
        ("nxdomain", (), (answer("nxdomain"),), "nxdomain"),
        ("nxdomain", (), (answer("no-address"),), "no-address"),
        ("Temporary failure", (), (answer("servfail"),), "servfail"),
        ("Temporary failure", (), (answer("refused"),), "refused"),
        ("Temporary failure", (), (answer("timeout"),), "unreachable"),
        ("timeout", (), (answer("timeout"), answer("ok", "10.0.1.10")), "ok"),
        ("timeout", (), (), "unreachable"),
        ("Temporary failure", (), (answer("failed"),), "failed"),
    ],
)
def test_what_system_and_servers_say_of_a_name_is_joined(
    system: str, addresses: tuple[str, ...], answers: tuple[ServerAnswer, ...], expected: str
) -> None:
    assert resolver.judge("ssm", system, addresses, answers, 0.1).state == expected


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The places where the agent looks for certificates, empty, in a folder of the test's own."""
    monkeypatch.setattr(trust_store, "FILES", (str(tmp_path / "bundle.crt"),))
    monkeypatch.setattr(trust_store, "FOLDERS", (str(tmp_path / "certs"),))
    return tmp_path / "bundle.crt"


def _certificate() -> bytes:
    import certifi

    first = trust_store._PEM.search(Path(certifi.where()).read_bytes())
    assert first is not None
    return first[0]


def test_the_first_readable_file_counts_be_it_empty(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = bundle.parent / "good.crt"
    good.write_bytes(_certificate())
    monkeypatch.setattr(trust_store, "FILES", (str(bundle), str(good)))
    assert trust_store.load({})[1].certificates == 1
    bundle.touch()
    assert trust_store.load({})[1].certificates == 0


def test_an_empty_store_is_no_error_but_has_no_certificates(bundle: Path) -> None:
    assert trust_store.load({})[1].certificates == 0
    bundle.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    assert trust_store.load({})[1].certificates == 0


def test_a_broken_certificate_does_not_spoil_the_others(bundle: Path) -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n"
    bundle.write_bytes(broken + _certificate())
    context, store = trust_store.load({})
    assert (store.certificates, store.source) == (1, str(bundle))
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_folders_count_as_go_counts_them_without_hashed_names(bundle: Path) -> None:
    folder = bundle.parent / "certs"
    folder.mkdir()
    (folder / "some.pem").write_bytes(_certificate())
    (folder / "again.pem").symlink_to(folder / "some.pem")
    assert trust_store.load({})[1].certificates == 1
    own = bundle.parent / "own"
    assert (
        trust_store.load({"SSL_CERT_DIR": str(own), "SSL_CERT_FILE": str(own)})[1].certificates == 0
    )
