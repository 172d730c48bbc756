"""Entries for the journal, each with its MESSAGE_ID and fields; without systemd-python, lines.

One table holds the events: the message catalogue (`systemd/agentcheck.catalog`) explains the same
ids to `journalctl -x`.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Optional

# syslog(3) priorities.
ERR, WARNING, NOTICE, INFO = 3, 4, 5, 6

MESSAGE_IDS: Mapping[str, str] = {
    "verdict": "7a5d2b5cb46d4e358b3e8021cb6f31d5",
    "check": "094b6122bf2c4b7e904e968ebf2a7f61",
    "heartbeat": "1adf78afb71b4340a3021349ab333794",
    "round-lost": "7ab2a10f48f442c9932b53878e1c46f8",
    "reload": "7b1654d8b0754b4eb7b3fd58dfe19292",
    "state": "3fc8ed3f89ae47ccb3ca2c6d6543d475",
    "quiet": "caad0cfa63914cb3864bf62e366e63b2",
}

Send = Callable[..., None]
# While the journal takes nothing; then the oldest are lost.
MOST_WAITING = 200
# Between tries meanwhile.
AGAIN_S = 2.0
SOCKET = "/run/systemd/journal/socket"
STDOUT = 1
# Errors of the entry itself; all others are the journal's, which is away, or this machine's.
_NEVER = (errno.EINVAL, errno.EMSGSIZE, errno.E2BIG)


class Journal:
    """Where entries go. Never raises and never waits: a journal that is away or stopped must not
    hold the daemon, so a thread of its own sends them. They wait until it is back."""

    def __init__(self, send: Optional[Send] = None) -> None:
        self._send = send or _backend()
        self._waiting: deque[tuple[str, Mapping[str, Any]]] = deque(maxlen=MOST_WAITING)
        self._news = threading.Condition()
        self._sending = False
        threading.Thread(target=self._work, name="journal", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._news:
                self._sending = False
                self._news.notify_all()
                while not self._waiting:
                    self._news.wait()
                message, fields = self._waiting.popleft()
                self._sending = True
            try:
                self._send(message, **fields)
            except OSError as error:
                if error.errno not in _NEVER:
                    self._again(message, fields)
            except Exception:  # noqa: BLE001 - one entry is lost, never the thread and so all others
                continue

    def _again(self, message: str, fields: Mapping[str, Any]) -> None:
        """Puts an entry back, in order, and waits a little."""
        with self._news:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.appendleft((message, fields))
            self._news.wait(AGAIN_S)

    def flush(self, seconds: float) -> None:
        """Waits until all is sent, but not for long."""
        with self._news:
            self._news.wait_for(lambda: not self._waiting and not self._sending, seconds)

    def entry(self, event: str, priority: int, message: str, **fields: Any) -> None:
        """One entry; fields that are None are left out, and all others are AGENTCHECK_*."""
        named = {f"AGENTCHECK_{k.upper()}": v for k, v in fields.items() if v not in (None, "")}
        common = {
            "PRIORITY": priority,
            "MESSAGE_ID": MESSAGE_IDS[event],
            "SYSLOG_IDENTIFIER": "agentcheck",
        }
        with self._news:
            self._waiting.append((message, {**common, **named}))
            self._news.notify_all()


def _backend() -> Send:
    """systemd-python where it and a journal are there; else stdout, which systemd reads too."""
    if os.path.exists(SOCKET):
        # Never `import systemd` alone: a folder of that name may stand beside the package.
        try:
            # What journal.send ends in; by itself it saves the daemon 1.5 MiB of other modules.
            from systemd._journal import sendv
        except ImportError:
            pass
        else:
            return _through(sendv)
        try:
            from systemd.journal import send
        except ImportError:
            pass
        else:
            return lambda message, **fields: send(message, **_texts(fields))
    return _print


def _through(sendv: Callable[..., None]) -> Send:
    def call(message: str, **fields: Any) -> None:
        os.stat(SOCKET)  # for without it sd_journal_send(3) says that all is well
        texts = {"MESSAGE": message, **_texts(fields)}
        sendv(*(f"{key}={text}".encode("utf-8", "replace") for key, text in texts.items()))

    return call


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: " ".join(value) if isinstance(value, (list, tuple)) else str(value)
        for key, value in fields.items()
    }


def _print(message: str, **fields: Any) -> None:
    """`<N>text`: systemd takes N for the priority (sd-daemon(3), SD_ERR and the others)."""
    if sys.stdout is None:
        return  # and whatever has its number now is none
    lines = [f"<{fields['PRIORITY']}>{line}\n" for line in message.splitlines()]
    # Past sys.stdout, whose buffer would keep what failed, and this entry is tried again.
    os.write(STDOUT, "".join(lines).encode("utf-8", "replace"))
