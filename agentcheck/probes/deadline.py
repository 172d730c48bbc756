"""How long a conversation with a peer may still take: time-outs of sockets are of single reads."""

from __future__ import annotations

import socket
import time


def left(end: float) -> float:
    """Seconds until `end` of the monotonic clock. Raises socket.timeout when it is over."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise socket.timeout("not done in time")
    return seconds
