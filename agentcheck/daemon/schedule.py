"""When the next round is due. Pure: seconds in, seconds out."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass

# After trouble, and until a change is confirmed, again after this, then twice as long each time.
SOON_S = 15.0
# The service is ready after its first round, and the boot waits for it.
LONGEST_SPREAD_S = 30.0
# So many rounds are made soon for the sake of a confirmation; what changes for ever is no hurry.
MOST_DOUBTFUL = 6


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
    return fraction * min(timing.jitter * timing.interval_s, LONGEST_SPREAD_S)


def roll() -> float:
    """0 to 1 by chance; the module for that would stay in the daemon's memory."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def pause(
    timing: Timing, doubtful: int, bad_rounds: int, dice: Callable[[], float] = roll
) -> float:
    """Seconds from the end of a round to the next.

    `doubtful`: so many rounds in a row saw what is not confirmed. `bad_rounds`: so many in a row
    were neither ok nor warn.
    """
    usual = timing.interval_s * (1 + timing.jitter * (2 * dice() - 1))
    if 0 < doubtful <= MOST_DOUBTFUL:
        return min(SOON_S, timing.interval_s)
    if bad_rounds:
        return min(SOON_S * 2.0 ** min(bad_rounds - 1, 30), usual)
    return usual


def stale_after(timing: Timing, deadline_s: float) -> float:
    """How old a report may become before it counts no more: two rounds have then not ended."""
    return 2 * timing.interval_s * (1 + timing.jitter) + deadline_s + 5.0
