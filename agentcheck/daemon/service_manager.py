"""What systemd is told: sd_notify(3) in a few lines, so that Type=notify needs no package."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """The service manager of this process; without one nothing is sent."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        usec = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watched = usec.isascii() and usec.isdigit() and int(usec) > 0 and ours and self._address
        # Pinged twice as often as needed (sd_watchdog_enabled(3)).
        self.watchdog_s = int(usec) / 2e6 if watched else None
        # Kept open: who has no files left to open is still alive.
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._sender.settimeout(1)

    @property
    def present(self) -> bool:
        """Whether there is one, which starts this process anew when it ends."""
        return bool(self._address)

    def tell(self, **assignments: str) -> None:
        """Sends `READY="1"`, `STATUS="..."` and the like. Never raises: it must not end anybody."""
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        text = "\n".join(f"{key}={' '.join(v.split())}" for key, v in assignments.items())
        try:
            self._sender.sendto(text.encode("utf-8", "replace"), address)
        except OSError:
            return
