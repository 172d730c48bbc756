"""The settings: one table, read from the file, its drop-ins, the environment and flags.

Later sources win: `/etc/agentcheck/agentcheck.conf`, `/etc/agentcheck/agentcheck.conf.d/*.conf`,
`AGENTCHECK_<SECTION>_<KEY>`, flags. `--config FILE` stands in place of the file and its drop-ins.
Nothing is ignored silently: an unknown section or key or a bad value is a ConfigError.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from agentcheck.files import read_whole
from agentcheck.kinds import (
    DATE,
    DURATION,
    FILE,
    FOLDER,
    LISTEN,
    PERCENT,
    SERVICES,
    WORDS,
    YES_NO,
    Kind,
    choice,
    count,
)
from agentcheck.model import ConfigError

CONFIG_FILE = Path("/etc/agentcheck/agentcheck.conf")
DROP_INS = Path("/etc/agentcheck/agentcheck.conf.d")
ENVIRONMENT_PREFIX = "AGENTCHECK_"

MAX_FILE = 256 << 10
# configparser takes the square of the length of a run of these.
_BLANKS = re.compile(r"(?<=\S)[^\S\n]+")


@dataclass(frozen=True)
class Setting:
    """One row of the table; `default` is written as in the file."""

    section: str
    key: str
    kind: Kind
    default: str
    help: str


SETTINGS: Sequence[Setting] = (
    Setting("run", "deadline", DURATION, "10s", "a round ends after this, whatever happens"),
    Setting("run", "connect_timeout", DURATION, "3500ms", "for TCP and for TLS to one address"),
    Setting(
        "run",
        "signed_call",
        choice("auto", "always", "never"),
        "auto",
        "the signed read-only call that proves the role's permissions",
    ),
    Setting("run", "ec2", choice("auto", "yes", "no"), "auto", "whether this is an EC2 instance"),
    Setting(
        "endpoints",
        "require_private",
        choice("auto", "yes", "no"),
        "auto",
        "whether a public address of an endpoint is a fault",
    ),
    Setting("endpoints", "optional", SERVICES, "", "more services to check; never a fault"),
    Setting("endpoints", "required", SERVICES, "", "more services that must be reachable"),
    Setting(
        "endpoints",
        "ec2messages_retirement",
        DATE,
        "2026-09-30",
        "when the ec2messages endpoint was announced to retire",
    ),
    Setting("endpoints", "max_addresses", count(1, 256), "16", "addresses tried per service"),
    Setting("daemon", "interval", DURATION, "5m", "time between rounds"),
    Setting("daemon", "jitter", PERCENT, "10%", "how much a round may be early or late"),
    Setting("daemon", "confirm", count(1, 20), "2", "rounds that must agree before a change"),
    Setting("daemon", "boot_grace", DURATION, "5m", "how long after boot trouble is `pending`"),
    Setting("daemon", "heartbeat", DURATION, "1h", "time between journal entries without news"),
    Setting("daemon", "console_on_change", YES_NO, "yes", "write changes to the console"),
    Setting("http", "listen", LISTEN, "", "where the status port listens; empty: off"),
    Setting("http", "allow_remote", YES_NO, "no", "let it listen beyond loopback"),
    Setting(
        "http", "allowed_hosts", WORDS, "localhost 127.0.0.1 [::1]", "Host headers it answers to"
    ),
    Setting("state", "run_dir", FOLDER, "/run/agentcheck", "where report.json lives"),
    Setting("state", "state_dir", FOLDER, "/var/lib/agentcheck", "where history.json lives"),
    Setting("state", "history_max", count(1, 100000), "1000", "entries kept in the history"),
    Setting("state", "textfile", FILE, "", "a node_exporter textfile to write; empty: none"),
)

_TABLE = {(setting.section, setting.key): setting for setting in SETTINGS}
SECTIONS = tuple(dict.fromkeys(setting.section for setting in SETTINGS))


def keys_of(section: str) -> list[str]:
    return [setting.key for setting in SETTINGS if setting.section == section]


@dataclass(frozen=True)
class Effective:
    """A setting in force: its text, parsed value and where it came from."""

    setting: Setting
    text: str
    value: Any
    origin: str


class Settings:
    """The effective settings. Ask with `settings["run", "deadline"]`."""

    def __init__(self, effective: Mapping[tuple[str, str], Effective]) -> None:
        self._effective = effective

    def __getitem__(self, key: tuple[str, str]) -> Any:
        return self._effective[key].value

    def all(self) -> list[Effective]:
        """Every setting, in the table's order."""
        return [self._effective[setting.section, setting.key] for setting in SETTINGS]

    def as_ini(self) -> str:
        """All of them as the text of a file, so that another process has the very same."""
        lines = []
        for section in SECTIONS:
            lines.append(f"[{section}]")
            lines += [
                f"{e.setting.key} = {e.text}" for e in self.all() if e.setting.section == section
            ]
        return "\n".join(lines) + "\n"


def load(
    config: Optional[Path] = None,
    environ: Optional[Mapping[str, str]] = None,
    flags: Optional[Mapping[tuple[str, str], str]] = None,
) -> Settings:
    """Reads all sources. `config` is `--config`'s file; it must exist. Raises ConfigError."""
    effective = {}
    for key, setting in _TABLE.items():
        effective[key] = Effective(
            setting, setting.default, setting.kind.parse(setting.default), "default"
        )
    for path in _files(config):
        effective.update(_read_file(path))
    effective.update(_read_environment(environ or {}))
    for key, text in (flags or {}).items():
        effective[key] = _parse(key, text, "command line", "command line")
    return Settings(effective)


def _files(config: Optional[Path]) -> list[Path]:
    if config is not None:
        return [config]
    try:
        drop_ins = sorted(path for path in DROP_INS.iterdir() if path.name.endswith(".conf"))
    except (FileNotFoundError, NotADirectoryError):
        drop_ins = []
    except OSError as error:
        raise ConfigError(f"{DROP_INS}: {error.strerror}; make it readable or remove it") from None
    # A dangling link is a mistake that must be seen.
    return [CONFIG_FILE, *drop_ins] if os.path.lexists(CONFIG_FILE) else drop_ins


class _Ini(configparser.ConfigParser):
    """Nothing but a comment stands behind a [section]: the usual one leaves out what does."""

    SECTCRE = re.compile(r"\[(?P<header>[^]]+)\]\s*(?:[#;].*)?$")


def _read_file(path: Path) -> dict[tuple[str, str], Effective]:
    try:
        text = read_whole(path, MAX_FILE).decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a readable file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text; allowed: an INI file") from None
    # No section is special here: [DEFAULT] is as unknown as any other.
    parser = _Ini(interpolation=None, default_section="\0")
    try:
        parser.read_string(_BLANKS.sub(" ", text))
    except configparser.MissingSectionHeaderError as error:
        raise ConfigError(
            f"{path}:{error.lineno}: text before the first [section]; "
            f"allowed sections: {', '.join(SECTIONS)}"
        ) from None
    except configparser.ParsingError as error:
        errors = getattr(error, "errors", None)
        line = errors[0][0] if errors else getattr(error, "lineno", 1)
        raise ConfigError(f"{path}:{line}: not INI; allowed: lines of `key = value`") from None
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
        what = getattr(error, "option", None) or f"[{error.section}]"
        raise ConfigError(f"{path}:{error.lineno}: {what} is set twice; keep one") from None
    read = {}
    for section in parser.sections():
        place = f"{path}:{_line_of(text, section)}"
        if section not in SECTIONS:
            known = ", ".join(SECTIONS)
            raise ConfigError(f"{place}: unknown section [{section}]; allowed: {known}")
        for key, value in parser.items(section):
            place = f"{path}:{_line_of(text, section, key)}"
            if (section, key) not in _TABLE:
                known = ", ".join(keys_of(section))
                raise ConfigError(f"{place}: unknown key {key} in [{section}]; allowed: {known}")
            read[section, key] = _parse((section, key), value, place, str(path))
    return read


def _line_of(text: str, section: str, key: Optional[str] = None) -> int:
    """Line number of a section's header or of a key in it (configparser does not keep them)."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\[(?P<name>.+)\]", line.strip())
        if header:
            inside = header["name"] == section
            if inside and key is None:
                return number
        elif inside and key is not None and re.match(rf"\s*{re.escape(key)}\s*[=:]", line, re.I):
            return number
    return 1


def _read_environment(environ: Mapping[str, str]) -> dict[tuple[str, str], Effective]:
    read = {}
    for name, text in environ.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        section, _, key = name[len(ENVIRONMENT_PREFIX) :].lower().partition("_")
        if section not in SECTIONS:
            continue
        if (section, key) not in _TABLE:
            allowed = ", ".join(
                f"{ENVIRONMENT_PREFIX}{section}_{known}".upper() for known in keys_of(section)
            )
            raise ConfigError(f"environment: unknown variable {name}; allowed: {allowed}")
        read[section, key] = _parse((section, key), text, f"environment: {name}", f"${name}")
    return read


def _parse(key: tuple[str, str], text: str, place: str, origin: str) -> Effective:
    setting = _TABLE[key]
    text = " ".join(text.split())
    try:
        if not text.isprintable():  # a NUL is in no path, half a surrogate pair in no file
            raise ValueError("not printable text")
        return Effective(setting, text, setting.kind.parse(text), origin)
    except ValueError as error:
        raise ConfigError(
            f"{place}: [{setting.section}] {setting.key} = {text or '(empty)'}: {error}; "
            f"allowed: {setting.kind.allowed}"
        ) from None
