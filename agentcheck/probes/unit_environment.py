"""The environment that systemd would give the agent, from its unit files and drop-ins.

For an agent that does not run: then no process shows what it would be started with. Source:
systemd.unit(5) (search path, drop-ins), systemd.exec(5) (Environment, EnvironmentFile).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from agentcheck.files import entries_of, read_bounded

# In the order of precedence: /etc beats /run beats what packages bring.
FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
MANAGER = ("/usr/lib/systemd", "/run/systemd", "/etc/systemd")
# A unit's drop-ins are a few, of a kilobyte. What this allows is split into words within seconds.
MAX_FILE = 32768
MAX_FILES = 50
MAX_ENTRIES = 1000
_STARS = re.compile(r"\*+")


def read(unit: str, root: Path = Path("/")) -> dict[str, str]:
    """The variables by name; what cannot be read is left out."""
    found: dict[str, str] = {}
    for path in _manager_files(root):
        _apply(_settings(path, "[Manager]", "DefaultEnvironment"), found)
    assigned: dict[str, str] = {}
    files: list[str] = []
    removed: list[str] = []
    for path in _unit_files(unit, root):
        for key, value in _lines(path, "[Service]"):
            if key == "Environment":
                _apply([value], assigned)
            elif key == "EnvironmentFile":
                files = [*files, value] if value else []
            elif key == "UnsetEnvironment":
                removed = [*removed, *_words(value)] if value else []
    found.update(assigned)
    matching = (path for name in files[:MAX_FILES] for path in _matching(root, name))
    for path in islice(matching, MAX_FILES):
        found.update(_environment_file(path))
    return {key: value for key, value in found.items() if key not in removed}


def _manager_files(root: Path) -> Iterator[Path]:
    yield root / "etc/systemd/system.conf"
    yield from _drop_ins([root / place.lstrip("/") / "system.conf.d" for place in MANAGER[::-1]])


def _unit_files(unit: str, root: Path) -> Iterator[Path]:
    places = [root / place.lstrip("/") for place in FOLDERS]
    fragment = next((p / unit for p in places if (p / unit).is_file()), None)
    if fragment is not None:
        yield fragment
    # Of a type's drop-ins and a unit's own the latter come last.
    yield from _drop_ins([place / "service.d" for place in places])
    yield from _drop_ins([place / f"{unit}.d" for place in places])


def _drop_ins(folders: Sequence[Path]) -> Iterator[Path]:
    """By name, whatever the folder; of two with one name the first folder's counts."""
    found: dict[str, Path] = {}
    for folder in folders:
        try:
            names = entries_of(folder, MAX_ENTRIES)
        except OSError:
            continue
        for name in names:
            if name.endswith(".conf"):
                found.setdefault(name, folder / name)
    for name in sorted(found)[:MAX_FILES]:
        yield found[name]


def _settings(path: Path, section: str, wanted: str) -> list[str]:
    return [value for key, value in _lines(path, section) if key == wanted]


def _lines(path: Path, section: str) -> Iterator[tuple[str, str]]:
    """`KEY=VALUE` of one section; lines that end in a backslash go on."""
    inside = False
    for line in _joined(_text(path)):
        line = line.strip()
        if line.startswith("["):
            inside = line == section
        elif inside and "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def _joined(text: str) -> Iterator[str]:
    pending = ""
    for line in text.splitlines():
        if pending and line.lstrip()[:1] in ("#", ";"):
            continue  # comments may stand between continued lines
        if line.endswith("\\"):
            pending += line[:-1] + " "
        else:
            yield pending + line
            pending = ""
    if pending:
        yield pending


def _text(path: Path) -> str:
    try:
        return read_bounded(path, MAX_FILE).decode("utf-8", "replace")
    except OSError:
        return ""


def _words(value: str) -> list[str]:
    try:
        return [word.replace("%%", "%") for word in shlex.split(value)]
    except ValueError:
        return []


def _apply(values: Sequence[str], found: dict[str, str]) -> None:
    """Assignments in quotes or not, several to a line; an empty line takes back the earlier."""
    for value in values:
        if not value:
            found.clear()
        for word in _words(value):
            key, equals, text = word.partition("=")
            if equals:
                found[key] = text


def _matching(root: Path, name: str) -> list[Path]:
    """The files that an EnvironmentFile= means: it may be a pattern."""
    pattern = _STARS.sub("*", name.lstrip("-").lstrip("/"))  # glob(3) knows no deeper one
    if not any(char in pattern for char in "*?["):
        return [root / pattern]
    try:
        return sorted(islice(root.glob(pattern), MAX_FILES))
    except (OSError, ValueError, re.error):  # before Python 3.10 [z-a] is an error
        return []


def _environment_file(path: Path) -> Iterator[tuple[str, str]]:
    text = _text(path)
    for line in _joined(text):
        line = line.strip()
        key, equals, value = line.partition("=")
        if equals and key[:1] not in ("#", ";", ""):
            words = _words(value.replace("%", "%%"))
            yield key.strip(), " ".join(words)
