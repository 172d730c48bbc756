"""The settings: sources in their order, and no mistake passes silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcheck import kinds, settings
from agentcheck.model import ConfigError


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration's place, empty, in a folder of the test's own."""
    monkeypatch.setattr(settings, "CONFIG_FILE", tmp_path / "agentcheck.conf")
    monkeypatch.setattr(settings, "DROP_INS", tmp_path / "agentcheck.conf.d")
    (tmp_path / "agentcheck.conf.d").mkdir()
    return tmp_path


def test_every_default_is_valid_and_comes_from_the_table(etc: Path) -> None:
    rows = settings.load().all()
    assert [(r.setting.section, r.setting.key) for r in rows] == [
        (s.section, s.key) for s in settings.SETTINGS
    ]
    assert {row.origin for row in rows} == {"default"}


def test_later_sources_win_and_say_where_they_are(etc: Path) -> None:
    (etc / "agentcheck.conf").write_text("[run]\ndeadline = 20s\nconnect_timeout = 2s\n")
    (etc / "agentcheck.conf.d" / "10.conf").write_text("[run]\ndeadline = 30s\n")
    (etc / "agentcheck.conf.d" / "20.conf").write_text("[run]\ndeadline = 40s\n")
    (etc / "agentcheck.conf.d" / "20.conf~").write_text("[nonsense\n")
    loaded = settings.load(environ={"AGENTCHECK_RUN_CONNECT_TIMEOUT": "1500ms"})
    assert loaded["run", "deadline"] == 40.0
    assert loaded["run", "connect_timeout"] == 1.5
    origins = {(r.setting.section, r.setting.key): r.origin for r in loaded.all()}
    assert origins["run", "deadline"].endswith("20.conf")
    assert origins["run", "connect_timeout"] == "$AGENTCHECK_RUN_CONNECT_TIMEOUT"


def test_config_flag_stands_in_place_of_the_file_and_its_drop_ins(etc: Path) -> None:
    (etc / "agentcheck.conf").write_text("[run]\ndeadline = nonsense\n")
    other = etc / "other.conf"
    other.write_text("[endpoints]\noptional = s3 kms\n")
    assert settings.load(other)["endpoints", "optional"] == ("s3", "kms")


@pytest.mark.parametrize(
    ("text", "seconds"), [("3500ms", 3.5), ("90s", 90.0), ("5m", 300.0), ("1h", 3600.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert kinds.parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "place", "wrong", "allowed"),
    [
        ("[run]\n\ndeadline = 5 parsecs\n", ":3:", "5 parsecs", "90s"),
        ("[run]\ndeadline = 0s\n", ":2:", "0s", "90s"),
        ("[run]\ndeadline = 99999h\n", ":2:", "99999h", "30 days"),
        ("[run]\ndead_line = 5s\n", ":2:", "dead_line", "deadline"),
        ("[runs]\ndeadline = 5s\n", ":1:", "[runs]", "endpoints"),
        ("[DEFAULT]\ndeadline = 5s\n", ":1:", "[DEFAULT]", "endpoints"),
        ("deadline = 5s\n", ":1:", "before the first", "run"),
        ("[run] deadline = 5s\n", ":1:", "before the first", "run"),
        ("[run]\nnonsense\n", ":2:", "not INI", "key = value"),
        ("[run]\ndeadline = 5s\ndeadline = 6s\n", ":3:", "twice", "one"),
        ("[run]\n[run]\n", ":2:", "twice", "one"),
        ("[run]\nec2 = maybe\n", ":2:", "maybe", "auto, yes, no"),
        ("[endpoints]\nmax_addresses = 0\n", ":2:", "0", "1 to 256"),
        ("[endpoints]\noptional = s3 ../x\n", ":2:", "../x", "s3 kms"),
        ("[daemon]\njitter = 200%\n", ":2:", "200%", "99%"),
        ("[http]\nlisten = everywhere\n", ":2:", "everywhere", "127.0.0.1:9257"),
        ("[state]\nrun_dir = run\n", ":2:", "run", "absolute"),
    ],
)
def test_a_mistake_names_its_place_what_is_wrong_and_what_is_allowed(
    etc: Path, text: str, place: str, wrong: str, allowed: str
) -> None:
    path = etc / "agentcheck.conf"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        settings.load()
    message = str(caught.value)
    assert message.startswith(f"{path}{place}")
    assert wrong in message
    assert allowed in message
    assert "\n" not in message


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"[run]\ndeadline = \xff\n"])
def test_bytes_that_are_no_text_are_a_configuration_error(etc: Path, raw: bytes) -> None:
    (etc / "agentcheck.conf").write_bytes(raw)
    with pytest.raises(ConfigError, match="UTF-8"):
        settings.load()


def test_an_unknown_variable_of_a_known_section_is_an_error(etc: Path) -> None:
    with pytest.raises(ConfigError, match=r"AGENTCHECK_RUN_DEAD_LINE.*AGENTCHECK_RUN_DEADLINE"):
        settings.load(environ={"AGENTCHECK_RUN_DEAD_LINE": "5s"})
    settings.load(environ={"AGENTCHECK_COLOUR": "x", "OTHER": "y"})


def test_a_dangling_link_and_a_missing_config_file_are_seen(etc: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        settings.load(etc / "absent.conf")
    (etc / "agentcheck.conf").symlink_to(etc / "absent.conf")
    with pytest.raises(ConfigError, match="No such file"):
        settings.load()
