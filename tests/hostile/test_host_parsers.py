"""Whatever stands in the files of an instance, the probes read it: right, or as not known."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import certifi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentcheck import files, misconfiguration
from agentcheck.diagnosis import diagnose
from agentcheck.observations import AgentConfig, AgentLog, Unit
from agentcheck.probes import (
    agent_log,
    agent_package,
    agent_state,
    agent_unit,
    image,
    machine,
    trust_store,
    unit_environment,
)
from agentcheck.probes.ssm_agent import parse_config
from tests import worlds
from tests.hostile.rubbish import examples

HOST = "ssm.us-east-1.amazonaws.com"
# What JSON may hold where a text is expected, and what Python's parser is weak against.
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)
DEEP = b"[" * 100_000
LONG_NUMBER = b'{"Agent": {"ContainerMode": ' + b"9" * 100_000 + b"}}"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every border of a block is met by texts of a few characters."""
    monkeypatch.setattr(files, "BLOCK", 8)


LINES = st.lists(st.binary(max_size=8).map(lambda line: line.replace(b"\n", b"")), max_size=20)


@pytest.mark.usefixtures("small_blocks")
@examples(150)
@given(LINES)
def test_pieces_of_a_file_are_all_of_its_lines(tmp_path: Path, lines: list[bytes]) -> None:
    (tmp_path / "file").write_bytes(b"\n".join(lines))
    pieces = list(files.read_in_pieces(tmp_path / "file", 10_000))
    read = [line for piece in pieces for line in piece.split(b"\n")]
    assert [line for line in read if line] == [line for line in lines if line]


@pytest.mark.usefixtures("small_blocks")
@examples(60)
@given(st.binary(), st.integers(1, 400))
def test_pieces_are_small_whatever_the_file_and_end_at_the_limit(
    tmp_path: Path, raw: bytes, limit: int
) -> None:
    (tmp_path / "file").write_bytes(raw * 20)
    pieces: list[bytes] = []
    too_large = pytest.raises(OSError, match="larger than")
    with too_large if len(raw) * 20 > limit else nullcontext():
        pieces.extend(files.read_in_pieces(tmp_path / "file", limit))
    assert all(len(piece) <= 2 * files.BLOCK for piece in pieces)


def said(**changes: Any) -> Iterator[str]:
    """All that the diagnosis says of an instance that nobody can reach, with something hostile."""
    verdict, causes = diagnose(worlds.healthy(channel=worlds.DEAD, **changes))
    for cause in (verdict, *causes):
        yield from (cause.summary, *cause.evidence, *cause.remedy)


STAMP = "2026-11-25 03:00:00.0000 "
LOG_WORDS = st.sampled_from(
    [
        "ERROR [CredentialRefresher] Retrieve credentials produced error: ",
        "INFO [CredentialRefresher] Sleeping for ",
        "ERROR [Registrar] failed to register identity: ",
        "INFO [Registrar] sleeping for 999999999 minutes before retrying registration",
        "INFO Entering SSM Agent hibernate ",
        "INFO amazon-ssm-agent - v3.3.1611.0",
        "999999999999h before retrying",
        "0s before retrying",
        "AccessDenied not authorized to perform: ssm:UpdateInstanceInformation ",
        "dial tcp ",
        '\\"@',
        "\x1b[31m",
        "\u2028",
    ]
)
LOG = st.lists(
    st.lists(LOG_WORDS | st.text(max_size=10), max_size=4).map(lambda w: STAMP + "".join(w)),
    max_size=12,
).map(lambda lines: "\n".join(lines).encode("utf-8", "replace"))


@examples(60)
@given(LOG, LOG)
@example(
    f"{STAMP}ERROR [CredentialRefresher] Retrieve credentials produced error: x\n"
    f"{STAMP}INFO [CredentialRefresher] Sleeping for 999999999999h before retrying".encode(),
    b"",
)
def test_whatever_the_agent_logs_the_diagnosis_says_it_in_plain_text(
    data: bytes, hibernate: bytes
) -> None:
    log = agent_log.read_lines(data, agent_log.zone_of(), worlds.NOW, hibernate)
    assert all(text.isprintable() for text in said(agent_log=log))


@examples(60)
@given(st.binary(max_size=300), st.integers(0, 3))
def test_any_file_of_a_time_zone_is_a_zone(tmp_path: Path, raw: bytes, version: int) -> None:
    place = tmp_path / "localtime"
    for head in (b"", b"TZif" + b"\0123"[version : version + 1]):
        place.write_bytes(head + raw)
        zone = agent_log.zone_of(localtime=place)
        agent_log.read_lines(f"{STAMP}INFO x".encode(), zone, worlds.NOW)


@examples(60)
@given(st.text())
@example("../../../etc/passwd")
@example("a" * 5000)
def test_any_tz_of_the_agent_is_a_zone(name: str) -> None:
    assert agent_log.zone_of(name) is not None


def _config(document: dict[str, Any]) -> AgentConfig:
    return parse_config("p", json.dumps(document).encode())


@examples(100)
@given(
    st.dictionaries(st.sampled_from(["Agent", "Ssm", "Mds", "Mgs"]), JSON | st.dictionaries(
        st.sampled_from(["Endpoint", "Region", "ServiceDomain", "ContainerMode"]), JSON
    ))
)  # fmt: skip
def test_any_configuration_of_the_agent_is_judged_in_plain_text(document: dict[str, Any]) -> None:
    config = _config(document)
    for problem in misconfiguration.problems(config, worlds.REGION, "amazonaws.com"):
        assert problem.text.isprintable()
    agent = worlds.agent(running=False, config=config)
    assert all(text.isprintable() for text in said(agent=agent))


def test_what_go_reads_and_python_cannot_is_not_called_broken() -> None:
    """The agent takes no notice of settings that it does not know, however they look."""
    assert _config({"Unknown": 10**30}).error == ""
    assert parse_config("p", b'{"Unknown": ' + b"9" * 100_000 + b"}").error == ""
    deep = parse_config("p", b'{"Unknown": ' + DEEP[:5000] + b"]" * 5000 + b"}")
    assert deep.unreadable or deep.error == ""  # by the version of Python
    assert parse_config("p", LONG_NUMBER).error


STATE_FILES = ("runtimeconfig/identity_config.json", "registration", "Vault/Store/RegistrationKey")
IDENTITY = st.dictionaries(
    st.sampled_from(
        ["InstanceId", "IdentityType", "CredentialSource", "CredentialsExpiresAt", "instanceID"]
    ),
    JSON | st.sampled_from(["mi-0123456789abcdef0", "9999-12-31T23:59:59-14:00", "SSM"]),
).map(lambda document: json.dumps(document).encode())


@examples(60)
@given(st.sampled_from(STATE_FILES), st.binary() | IDENTITY)
@example(STATE_FILES[0], DEEP)
@example(STATE_FILES[0], LONG_NUMBER)
def test_whatever_the_agents_state_files_hold_they_are_read(
    tmp_path: Path, name: str, raw: bytes
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(raw)
    identity = agent_state.identity(tmp_path)
    assert not identity.unreadable
    assert all(text.isprintable() for text in said(agent=worlds.agent(identity=identity)))


def test_a_state_file_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "registration")
    assert agent_state.identity(tmp_path).unreadable


OURS = b"Package: amazon-ssm-agent\nStatus: install ok installed\nVersion: 3.3.1611.0-1\n"
DEB822 = st.lists(
    st.sampled_from(
        [b"\n", b"\n\n", b"Package: ", b"Status: install ok installed\n", b"Version: 9\n", b" x\n"]
    )
    | st.binary(max_size=20),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize("block", [16, 1 << 16])
@examples(60)
@given(DEB822, DEB822)
def test_the_agents_package_is_found_between_any_others(
    tmp_path: Path, block: int, before: bytes, after: bytes
) -> None:
    (tmp_path / "status").write_bytes(before + b"\n\n" + OURS + b"\n" + after)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK", max(block, 2 * len(OURS)))
        patch.setattr(agent_package, "DPKG_STATUS", tmp_path / "status")
        assert agent_package._dpkg_version() == "3.3.1611.0-1"


@examples(60)
@given(st.text(), st.text())
def test_any_snap_and_any_rpm_have_a_version_or_none(
    tmp_path: Path, before: str, after: str
) -> None:
    (tmp_path / "meta").mkdir(exist_ok=True)
    text = f"{before}\nversion: {after}3.3.1611.0\n"
    (tmp_path / "meta" / "snap.yaml").write_text(text, encoding="utf-8", errors="replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent_package.command, "run", lambda *_: (0, before + "3.3.1611.0" + after))
        patch.setattr(agent_package, "DPKG_STATUS", tmp_path / "none")
        for install in (
            agent_package.of_snap(tmp_path / "amazon-ssm-agent"),
            agent_package.of_system(tmp_path / "amazon-ssm-agent"),
        ):
            assert len(install.version_text) <= agent_package.MAX_TEXT
            agent = replace(worlds.agent(), installs=(install,))
            assert all(text.isprintable() for text in said(agent=agent))


@examples(60)
@given(st.dictionaries(st.sampled_from(agent_unit.PROPERTIES), st.text(max_size=30)))
@example({"LoadState": "loaded", "NRestarts": "\u00b2"})
@example({"LoadState": "loaded", "NRestarts": "9" * 5000})
def test_whatever_systemctl_says_of_the_unit_it_is_read(values: dict[str, str]) -> None:
    unit = agent_unit.parse("x", "\n".join(f"{key}={value}" for key, value in values.items()))
    assert unit is None or isinstance(unit, Unit)
    agent = worlds.agent(running=False, unit=unit)
    assert all(text.isprintable() for text in said(agent=agent))


UNIT_LINES = st.lists(
    st.sampled_from(
        [
            "[Service]\n", "[Manager]\n", "Environment=", "EnvironmentFile=-/", "UnsetEnvironment=",
            "https_proxy=http://p:1 ", '"', "'", "\\\n", "\\", "\n", "#", "%%", "*", "\0",
        ]
    )
    | st.text(max_size=8),
    max_size=30,
).map(lambda words: "".join(words).encode("utf-8", "replace"))  # fmt: skip


@examples(60)
@given(UNIT_LINES, UNIT_LINES)
def test_any_unit_and_any_file_of_its_environment_are_read(
    tmp_path: Path, unit: bytes, variables: bytes
) -> None:
    folder = tmp_path / "etc/systemd/system/x.service.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.conf").write_bytes(unit)
    (folder / "b.conf").write_bytes(b"[Service]\nEnvironmentFile=/env\n")
    (tmp_path / "env").write_bytes(variables)
    assert isinstance(unit_environment.read("x.service", tmp_path), dict)


CERTIFICATE = next(trust_store._blocks(Path(certifi.where()).read_bytes()))
BEGIN, END = trust_store._BEGIN, trust_store._END
PEM = st.lists(
    st.sampled_from([BEGIN, END, b"\n", b"AAAA\n", BEGIN + b"\n" + END, CERTIFICATE])
    | st.binary(max_size=20),
    max_size=12,
).map(b"".join)


@examples(60)
@given(PEM, PEM)
@example(BEGIN * 50, b"")
def test_a_certificate_counts_between_any_others(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    (tmp_path / "bundle").write_bytes(before + END + b"\n" + CERTIFICATE + b"\n" + after)
    store = trust_store.load({"SSL_CERT_FILE": str(tmp_path / "bundle"), "SSL_CERT_DIR": "/none"})
    assert store[1].certificates == 1
    assert not store[1].partial


def test_a_store_that_is_too_large_accuses_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root that signs may be in the part that was not read."""
    monkeypatch.setattr(trust_store, "MAX_FILE", 4 * len(CERTIFICATE))
    bundle = tmp_path / "bundle"
    bundle.write_bytes(CERTIFICATE + b"\n" + BEGIN * 1000)
    found = trust_store.load({"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": "/none"})[1]
    assert (found.certificates, found.partial) == (1, True)
    foreign = replace(worlds.CERTIFICATE, issuer="Corporation, Inspection CA")
    broken = worlds.connection("10.0.1.10", tls="untrusted", certificate=foreign)
    world = worlds.with_path(worlds.healthy(), "ssm", broken)
    assert diagnose(world)[0].code == "tls-intercepted"
    verdict, _ = diagnose(replace(world, trust_stores=worlds.stores(found)))
    assert (verdict.code, verdict.reason) == ("could-not-tell", "unexplained")


@examples(60)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_dmi_is_that_of_some_machine(tmp_path: Path, vendor: bytes, tag: bytes) -> None:
    (tmp_path / "sys_vendor").write_bytes(vendor)
    (tmp_path / "board_asset_tag").write_bytes(tag)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "DMI", tmp_path)
        found = machine.probe()
    assert (found.vendor + found.instance_id).isprintable()


@examples(60)
@given(st.binary())
def test_any_file_may_be_looked_into_for_keys(tmp_path: Path, raw: bytes) -> None:
    key = b"aws_secret_access_key = " + b"A" * 40
    for text, holds in ((raw.replace(b"=", b""), False), (raw + b"\n" + key, True)):
        (tmp_path / "file").write_bytes(text)
        assert image._holds_a_key(tmp_path / "file") is holds


def test_the_log_of_no_known_state_is_told() -> None:
    assert all(text.isprintable() for text in said(agent_log=AgentLog("unreadable")))
