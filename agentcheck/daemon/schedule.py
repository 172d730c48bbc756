"""When the next round is due. Pure: seconds in, seconds out."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass

# After trouble, and until a change is confirmed, again after this, then twice as long each time.
SOON_S = 15.0


@dataclass(frozen=True)
class Timing:
    """The settings that decide; `jitter` is a fraction."""

    interval_s: float
    jitter: float


def spread(identity: str, timing: Timing) -> float:
    """How long the first round waits: another time on each instance, the same one on each start.

    Instances that start at once, by a scaling group or after an outage, do not probe at once.
    """
    # Not hashlib, which would load OpenSSL into the daemon for this one number.
    fraction = zlib.crc32(identity.encode()) / 2**32
    return fraction * timing.jitter * timing.interval_s


def roll() -> float:
    """0 to 1 by chance; the module for that would stay in the daemon's memory."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def pause(
    timing: Timing, unconfirmed: bool, bad_rounds: int, dice: Callable[[], float] = roll
) -> float:
    """Seconds from the end of a round to the next.

    `unconfirmed`: what it saw is not confirmed yet. `bad_rounds`: so many in a row were neither ok
    nor warn. `dice` gives 0 to 1.
    """
    if unconfirmed and bad_rounds <= 1:
        return min(SOON_S, timing.interval_s)
    usual = timing.interval_s * (1 + timing.jitter * (2 * dice() - 1))
    if bad_rounds:
        return min(SOON_S * 2.0 ** min(bad_rounds - 1, 30), usual)
    return min(SOON_S, usual) if unconfirmed else usual


def stale_after(timing: Timing, deadline_s: float) -> float:
    """How old a report may become before it counts no more: two rounds have then not ended."""
    return 2 * timing.interval_s * (1 + timing.jitter) + deadline_s + 5.0
