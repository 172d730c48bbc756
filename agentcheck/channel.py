"""Whether the agent's channel to ssmmessages lives, by its sockets and by its log. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Optional

from agentcheck.observations import AgentLog, Channel, Socket


def judge(
    sockets: Optional[Sequence[Socket]],
    log: AgentLog,
    peers: Collection[str],
    port: int,
    others: Collection[str] = (),
    proxy: Optional[tuple[Collection[str], int]] = None,
) -> Channel:
    """Judges the channel.

    `sockets` are the agent's, None when they may not be seen. `peers` are the addresses of
    ssmmessages, `others` those of other services only; `proxy` are addresses and port of the
    proxy that leads there. A socket to a peer proves the channel. One to a proxy, or to a public
    address that is no longer in DNS, proves it together with the log.
    """
    if sockets is None:
        return Channel(True, "log") if log.connected else Channel(None)
    alive = [socket for socket in sockets if socket.alive and not _is_imds(socket)]
    if proxy is not None:
        addresses, proxy_port = proxy
        to_proxy = any(s.port == proxy_port and s.peer in addresses for s in alive)
        if to_proxy and log.state != "read":
            return Channel(None)  # it may be any request of the agent's
        return Channel(to_proxy and log.connected, "log" if to_proxy else "socket")
    direct = [socket for socket in alive if socket.port == port]
    if any(socket.peer in peers for socket in direct):
        return Channel(True, "socket")
    unknown = [socket for socket in direct if socket.peer not in others]
    if not unknown:
        return Channel(False, "socket")
    if not peers:
        return Channel(True, "socket")
    if log.connected:
        return Channel(True, "log")
    # Its log says that there is no channel, or nothing at all.
    told = log.state == "read" and (log.failure is not None or log.channel_at is not None)
    return Channel(False, "log") if told else Channel(None)


def _is_imds(socket: Socket) -> bool:
    return socket.peer.startswith("169.254.") or socket.peer == "fd00:ec2::254"
