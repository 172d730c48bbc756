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


@dataclass(frozen=True)
class Skew:
    """Seconds to add to our clock; `proven` when two independent sources agree on it."""

    seconds: float
    proven: bool


def utc(seconds: float, timespec: str = "minutes") -> str:
    """A moment for people; `timespec` as of datetime.isoformat."""
    moment = datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)
    return f"{moment.isoformat(' ', timespec)} UTC"


def by_imds(now: float, offset: Optional[float]) -> float:
    """`now` by the clock of IMDS, which also wrote the dates of the credentials.

    Below `WARN_S` the offset is no more than the resolution of the header.
    """
    return now + offset if offset is not None and abs(offset) > WARN_S else now


def skew(offsets: Mapping[str, float]) -> Skew:
    """The offset that the sources agree on.

    Endpoints are one kind of source and IMDS another: a middlebox may stand before all
    endpoints. Only where IMDS gives none do two endpoints that agree prove it. Sources that
    contradict each other prove nothing: then the smallest offset counts.
    """
    imds = offsets.get("imds")
    others = sorted((v for k, v in offsets.items() if k != "imds"), key=abs)
    if imds is not None:
        agreeing = [value for value in others if abs(value - imds) <= AGREE_S]
        if agreeing or not others:
            return Skew(imds, bool(agreeing))
        return Skew(min((imds, *others), key=abs), False)
    if not others:
        return Skew(0.0, False)
    agreeing = [value for value in others[1:] if abs(value - others[0]) <= AGREE_S]
    return Skew(others[0], bool(agreeing))
