"""The environment that the agent's unit files would give it, by systemd's rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agentcheck.probes.unit_environment import read

UNIT = "amazon-ssm-agent.service"


def write(root: Path, path: str, text: str) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def drop_in(root: Path, text: str, name: str = "override", place: str = "etc") -> None:
    folder = "usr/lib" if place == "usr" else place
    write(root, f"{folder}/systemd/system/{UNIT}.d/{name}.conf", text)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Environment=https_proxy=http://proxy:3128", "http://proxy:3128"),
        ('Environment="https_proxy=http://proxy:3128"', "http://proxy:3128"),
        ("Environment='https_proxy=http://a b:3128' no_proxy=x", "http://a b:3128"),
        ("Environment = https_proxy=http://u:p%%2F@proxy:3128", "http://u:p%2F@proxy:3128"),
        ("Environment=no_proxy=x \\\n  # a comment\n  https_proxy=http://proxy", "http://proxy"),
        ("# Environment=https_proxy=http://proxy", None),
        ('Environment="https_proxy=http://unclosed', None),
        ("Environment=https_proxy=http://one\nEnvironment=", None),
        ("Environment=https_proxy=a\nUnsetEnvironment=https_proxy", None),
    ],
)
def test_assignments_are_read_as_systemd_reads_them(tmp_path: Path, line: str, value: str) -> None:
    drop_in(tmp_path, f"[Unit]\nDescription=x\n[Service]\n{line}\n")
    assert read(UNIT, tmp_path).get("https_proxy") == value


def test_what_stands_in_another_section_does_not_count(tmp_path: Path) -> None:
    drop_in(tmp_path, "[Unit]\nEnvironment=https_proxy=http://proxy\n")
    assert read(UNIT, tmp_path) == {}


def test_the_unit_comes_first_then_drop_ins_by_name_and_etc_hides_its_namesake(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        f"usr/lib/systemd/system/{UNIT}",
        "[Service]\nEnvironment=http_proxy=unit no_proxy=unit https_proxy=unit\n",
    )
    drop_in(tmp_path, "[Service]\nEnvironment=no_proxy=vendor\n", "10-a", "usr")
    drop_in(tmp_path, "[Service]\nEnvironment=https_proxy=hidden\n", "20-b", "usr")
    drop_in(tmp_path, "[Service]\nEnvironment=https_proxy=admin\n", "20-b")
    assert read(UNIT, tmp_path) == {
        "http_proxy": "unit",
        "no_proxy": "vendor",
        "https_proxy": "admin",
    }


def test_an_environment_file_comes_last_and_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path, "etc/sysconfig/agent", "# c\nhttps_proxy='http://file'\n\nno_proxy=a%20b\n")
    drop_in(
        tmp_path,
        "[Service]\nEnvironmentFile=-/etc/not/there\nEnvironmentFile=/etc/sysconfig/agent\n"
        "Environment=https_proxy=http://line\n",
    )
    assert read(UNIT, tmp_path) == {"https_proxy": "http://file", "no_proxy": "a%20b"}


def test_the_managers_default_is_the_least(tmp_path: Path) -> None:
    write(
        tmp_path,
        "etc/systemd/system.conf.d/proxy.conf",
        '[Manager]\nDefaultEnvironment="https_proxy=http://all" "no_proxy=all"\n',
    )
    drop_in(tmp_path, "[Service]\nEnvironment=no_proxy=mine\n")
    assert read(UNIT, tmp_path) == {"https_proxy": "http://all", "no_proxy": "mine"}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(tmp_path: Path, text: str) -> None:
    drop_in(tmp_path, "[Service]\n" + text.encode("utf-8", "replace").decode())
    assert isinstance(read(UNIT, tmp_path), dict)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("/-*?[].a!~\\", max_size=12))
@example("/etc/[z-a]*")
def test_any_pattern_of_environment_files_is_read_without_an_error(
    tmp_path: Path, pattern: str
) -> None:
    drop_in(tmp_path, f"[Service]\nEnvironment=https_proxy=line\nEnvironmentFile={pattern}\n")
    assert read(UNIT, tmp_path) == {"https_proxy": "line"}
