"""Whether the agent is connected: by its sockets first, by its log where they do not say."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from agentcheck.channel import judge
from agentcheck.observations import AgentLog, Channel, Socket

PEERS = ("10.0.1.11", "10.0.2.11")
CONNECTED = AgentLog("read", channel_at=100.0)
QUIET = AgentLog("read")
HIDDEN = AgentLog("unreadable")
LOST = AgentLog("read", channel_at=100.0, channel_ended=200.0)


def socket(peer: str, port: int = 443, alive: bool = True, **changes: Any) -> Socket:
    return Socket(peer, port, alive, changes.get("unacknowledged", 0), changes.get("tries", 0))


@pytest.mark.parametrize(
    ("sockets", "log", "expected"),
    [
        ([socket("10.0.1.11")], HIDDEN, Channel(True, "socket")),
        ([socket("10.0.1.11", alive=False)], CONNECTED, Channel(False, "socket")),
        ([socket("10.0.1.11", unacknowledged=3)], CONNECTED, Channel(False, "socket")),
        ([socket("10.0.1.11", tries=2)], CONNECTED, Channel(False, "socket")),
        ([socket("10.0.1.11", port=80)], CONNECTED, Channel(False, "socket")),
        # An address that DNS no longer gives counts together with the log only.
        ([socket("52.94.9.9")], CONNECTED, Channel(True, "log")),
        ([socket("52.94.9.9")], QUIET, Channel(None)),
        ([socket("52.94.9.9")], HIDDEN, Channel(None)),
        ([socket("52.94.9.9")], LOST, Channel(False, "log")),
        ([socket("10.0.1.10")], CONNECTED, Channel(False, "socket")),
        ([socket("169.254.169.254")], CONNECTED, Channel(False, "socket")),
        ([], CONNECTED, Channel(False, "socket")),
        (None, CONNECTED, Channel(True, "log")),
        (None, QUIET, Channel(None)),
        (None, HIDDEN, Channel(None)),
    ],
)
def test_directly(sockets: Optional[list[Socket]], log: AgentLog, expected: Channel) -> None:
    assert judge(sockets, log, PEERS, 443, {"10.0.1.10"}) == expected


@pytest.mark.parametrize(
    ("sockets", "log", "connected"),
    [
        ([socket("10.0.0.99", 3128)], CONNECTED, True),
        ([socket("10.0.0.99", 3128)], QUIET, False),
        ([socket("10.0.0.99", 3128)], HIDDEN, None),
        ([socket("10.0.1.11")], CONNECTED, False),
        ([], CONNECTED, False),
    ],
)
def test_behind_a_proxy_the_peer_is_the_proxy(
    sockets: list[Socket], log: AgentLog, connected: Optional[bool]
) -> None:
    found = judge(sockets, log, PEERS, 443, (), (("10.0.0.99",), 3128))
    assert found.connected is connected


def test_without_a_known_address_any_connection_of_the_agent_counts() -> None:
    assert judge([socket("52.94.0.1")], HIDDEN, (), 443).connected is True
    assert judge([], HIDDEN, (), 443).connected is False
