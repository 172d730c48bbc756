"""The status port of the daemon: opened, moved and closed as the settings say."""

from __future__ import annotations

from typing import Any, Optional

from agentcheck.daemon.board import Board
from agentcheck.model import AgentcheckError
from agentcheck.settings import Settings

_KEYS = ("listen", "allow_remote", "allowed_hosts")


class Port:
    """At most one server. Without `[http] listen` neither it nor waitress is ever imported."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._server: Optional[Any] = None
        self._wanted: Optional[tuple[Any, ...]] = None

    def follow(self, settings: Settings) -> None:
        """Serves as the settings say. Raises AgentcheckError, and then serves as before."""
        wanted = tuple(settings["http", key] for key in _KEYS)
        if wanted == self._wanted:
            return
        server = self._make(wanted)  # judges the settings
        # Two names may be one place, which cannot be opened twice.
        self.close()
        former, self._wanted = self._wanted, None
        try:
            if server is not None:
                server.start()
        except AgentcheckError:
            if former is not None:
                self._back_to(former)
            raise
        self._server, self._wanted = server, wanted

    def _make(self, wanted: tuple[Any, ...]) -> Optional[Any]:
        if not wanted[0]:
            return None
        from agentcheck.daemon.status_server import StatusServer

        return StatusServer(self._board, *wanted)

    def _back_to(self, former: tuple[Any, ...]) -> None:
        try:
            server = self._make(former)
            if server is not None:
                server.start()
        except AgentcheckError:
            return  # a reload tries again
        self._server, self._wanted = server, former

    @property
    def alive(self) -> bool:
        """Whether the server serves, or none is wanted."""
        return self._server is None or bool(self._server.alive)

    def close(self) -> None:
        """Stops serving."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
