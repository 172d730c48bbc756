"""The agent's TCP sockets, with what only the kernel knows of them.

psutil has no unacknowledged bytes and no retransmits, and without them a black-holed channel
looks established for minutes. Columns: Linux, Documentation/networking/proc_net_tcp.rst.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Optional

from agentcheck.files import read_in_pieces
from agentcheck.observations import Socket

ESTABLISHED = "01"
NET = Path("/proc/net")
# Of 400,000 sockets, closed ones that linger included.
MAX_TABLE = 64 << 20
_SOCKET_LINK = re.compile(r"socket:\[(\d+)\]")


def probe(pids: Sequence[int]) -> Optional[tuple[Socket, ...]]:
    """The TCP sockets of these processes; None when they cannot be seen, or not all of them."""
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
    try:
        return tuple(
            socket for table in ("tcp", "tcp6") for socket in _sockets(NET / table, inodes)
        )
    except OSError:
        return None


def _sockets(table: Path, inodes: Collection[str]) -> Iterator[Socket]:
    """Those of the table that are the agent's; a kernel without IPv6 has no table of it."""
    try:
        for piece in read_in_pieces(table, MAX_TABLE):
            for line in piece.decode("ascii", "replace").split("\n"):
                row = parse_row(line)
                if row and row[0] in inodes:
                    yield row[1]
    except FileNotFoundError:
        return


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
