"""The agent's TCP sockets, with what only the kernel knows of them.

psutil has no unacknowledged bytes and no retransmits, and without them a black-holed channel
looks established for minutes. Columns: Linux, Documentation/networking/proc_net_tcp.rst.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Optional

from agentcheck.observations import Socket
from agentcheck.probes.files import read_bounded

ESTABLISHED = "01"
MAX_TABLE = 16 << 20  # about 100,000 sockets
_SOCKET_LINK = re.compile(r"socket:\[(\d+)\]")


def probe(pids: Sequence[int]) -> Optional[tuple[Socket, ...]]:
    """The TCP sockets of these processes; None when we may not look into any of them."""
    inodes: set[str] = set()
    seen = False
    for pid in pids:
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        seen = True
        for descriptor in descriptors:
            try:
                found = _SOCKET_LINK.fullmatch(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
            except OSError:
                continue
            if found:
                inodes.add(found[1])
    if pids and not seen:
        return None
    rows = (row for table in ("tcp", "tcp6") for row in _rows(Path("/proc/net") / table))
    return tuple(socket for inode, socket in rows if inode in inodes)


def _rows(table: Path) -> Iterator[tuple[str, Socket]]:
    try:
        text = read_bounded(table, MAX_TABLE).decode("ascii", "replace")
    except OSError:
        return
    for line in text.splitlines()[1:]:
        row = parse_row(line)
        if row:
            yield row


def parse_row(line: str) -> Optional[tuple[str, Socket]]:
    """`(inode, socket)` of one line of /proc/net/tcp or tcp6; None when it is not one."""
    words = line.split()
    try:
        address, port = words[2].split(":")
        unacknowledged = int(words[4].split(":")[0], 16)
        # While the retransmit timer runs, the count is of tries for the oldest segment.
        return words[9], Socket(
            _address(address),
            int(port, 16),
            words[3] == ESTABLISHED,
            unacknowledged,
            int(words[6], 16),
        )
    except (IndexError, ValueError):
        return None


def _address(text: str) -> str:
    """The kernel prints each 32-bit word in the host's byte order."""
    raw = bytes.fromhex(text)
    if len(raw) not in (4, 16):
        raise ValueError(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4))
    address = ipaddress.ip_address(raw)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
