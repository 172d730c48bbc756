"""Moments as text, and what the clocks of others say about ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional

# SigV4 refuses a signature older than 5 minutes (IAM user guide, "Troubleshoot signed requests").
FAIL_S = 300
WARN_S = 60
# Two readings of the same moment over a slow path still agree within this.
AGREE_S = 30
# The years 1 and 9999, beyond which datetime does not go.
_FIRST, _LAST = -62135596800, 253402300799


@dataclass(frozen=True)
class Skew:
    """Seconds to add to our clock; `proven` when two independent sources agree on it."""

    seconds: float
    proven: bool


def utc(seconds: float, timespec: str = "minutes") -> str:
    """A moment for people; `timespec` as of datetime.isoformat.

    Others may name moments beyond the calendar: those show as its first or last.
    """
    within = min(max(seconds, _FIRST), _LAST)
    moment = datetime.fromtimestamp(within, timezone.utc).replace(tzinfo=None)
    return f"{moment.isoformat(' ', timespec)} UTC"


def by_imds(now: float, offset: Optional[float]) -> float:
    """`now` by the clock of IMDS, which also wrote the dates of the credentials.

    Below `WARN_S` the offset is no more than the resolution of the header.
    """
    return now + offset if offset is not None and abs(offset) > WARN_S else now


def skew(offsets: Mapping[str, float]) -> Skew:
    """The offset that the sources agree on.

    Endpoints are one kind of source, IMDS another ("imds"), and the third is a signature whose time
    was refused ("signature"): a middlebox may stand before all endpoints. Two kinds that agree
    prove it, the refusal of a signature first, for that is what AWS acts by. Only where IMDS gives
    none do two endpoints that agree prove it too. Sources that contradict each other prove
    nothing: then the smallest offset counts.
    """
    imds, signature = offsets.get("imds"), offsets.get("signature")
    named = ("imds", "signature")
    endpoints = sorted((v for k, v in offsets.items() if k not in named), key=abs)
    first = [v for v in (signature, imds) if v is not None]
    for index, value in enumerate(first):
        others = (*first[:index], *first[index + 1 :], *endpoints)
        if any(abs(other - value) <= AGREE_S for other in others):
            return Skew(value, True)
    if not endpoints:
        return Skew(min(first, key=abs, default=0.0), False)
    if first:
        return Skew(min((*first, *endpoints), key=abs), False)
    agreeing = [value for value in endpoints[1:] if abs(value - endpoints[0]) <= AGREE_S]
    return Skew(endpoints[0], bool(agreeing))
