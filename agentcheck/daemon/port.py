"""The status port of the daemon: opened, moved and closed as the settings say."""

from __future__ import annotations

from typing import Any, Optional

from agentcheck.daemon.board import Board
from agentcheck.settings import Settings

_KEYS = ("listen", "allow_remote", "allowed_hosts")


class Port:
    """At most one server. Without `[http] listen` neither it nor waitress is ever imported."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._server: Optional[Any] = None
        self._wanted: Optional[tuple[Any, ...]] = None

    def follow(self, settings: Settings) -> None:
        """Serves as the settings say. Raises AgentcheckError; with settings that are wrong it then
        serves as before."""
        wanted = tuple(settings["http", key] for key in _KEYS)
        if wanted == self._wanted:
            return
        server = None
        if settings["http", "listen"]:
            from agentcheck.daemon.status_server import StatusServer

            server = StatusServer(self._board, *wanted)  # judges the settings
            if self._wanted is not None and self._wanted[0] == wanted[0]:
                self.close()  # the same place cannot be opened twice
            server.start()
        self.close()
        self._server, self._wanted = server, wanted

    @property
    def alive(self) -> bool:
        """Whether the server serves, or none is wanted."""
        return self._server is None or bool(self._server.alive)

    def close(self) -> None:
        """Stops serving."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
