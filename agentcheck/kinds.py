"""The kinds of values that settings have: what is accepted, and what becomes of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
MAX_SERVICES = 100
# The services of AmazonSSMManagedInstanceCore's neighbourhood that a private subnet may also need.
_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


@dataclass(frozen=True)
class Kind:
    """A type of value: `parse` raises ValueError; `allowed` says what is accepted."""

    parse: Callable[[str], Any]
    allowed: str


def parse_duration(text: str) -> float:
    """Seconds of `3500ms`, `90s`, `5m` or `1h`. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _UNIT_SECONDS[found[2]] if found else 0.0
    # The upper bound keeps a mistyped unit from sleeping for ever, and the arithmetic finite.
    if not 0 < seconds <= 30 * 86400:
        raise ValueError("not a duration")
    return seconds


def _percent(text: str) -> float:
    found = re.fullmatch(r"(\d{1,2})%", text)
    if not found:
        raise ValueError("not a percentage")
    return int(found[1]) / 100


def _yes_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("neither yes nor no")
    return text.lower() == "yes"


def _date(text: str) -> str:
    # Not datetime, which would stay in the daemon's memory for this one setting.
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    year, month, day = map(int, found.groups()) if found else (0, 0, 0)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        raise ValueError("not a date")
    return text


def _services(text: str) -> tuple[str, ...]:
    words = _words(text)
    for word in words:
        if not _SERVICE.fullmatch(word):
            raise ValueError(f"{word!r} is not a service name")
    if len(words) > MAX_SERVICES:
        raise ValueError(f"more than {MAX_SERVICES} services")
    return words


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _listen(text: str) -> str:
    if not text or re.fullmatch(r"unix:/[^\s]+", text):
        return text
    found = re.fullmatch(r"(?:[0-9.]+|\[[0-9a-fA-F:]+\]|localhost):(\d{1,5})", text)
    if not found or not 0 < int(found[1]) < 65536:
        raise ValueError("not an address to listen on")
    return text


def _folder(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("not an absolute path")
    return text


def _file(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/")):
        raise ValueError("not the absolute path of a file")
    return text


def count(lowest: int, highest: int) -> Kind:
    """A whole number, both ends included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not lowest <= int(text) <= highest:
            raise ValueError("not a whole number in range")
        return int(text)

    return Kind(parse, f"a whole number from {lowest} to {highest}")


def choice(*allowed: str) -> Kind:
    """One of these words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError("not one of the choices")
        return text

    return Kind(parse, ", ".join(allowed))


DURATION = Kind(parse_duration, "a number with ms, s, m or h, such as 90s, at most 30 days")
PERCENT = Kind(_percent, "a percentage from 0% to 99%")
YES_NO = Kind(_yes_no, "yes or no")
DATE = Kind(_date, "a date such as 2026-09-30")
SERVICES = Kind(_services, "service names such as s3 kms logs, divided by spaces")
WORDS = Kind(_words, "words divided by spaces")
LISTEN = Kind(_listen, "empty, ADDRESS:PORT such as 127.0.0.1:9257, or unix:/PATH")
FOLDER = Kind(_folder, "an absolute path")
FILE = Kind(_file, "empty or the absolute path of a file")
