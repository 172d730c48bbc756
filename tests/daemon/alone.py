"""The daemon as a process of its own, whose rounds are what a test has laid down: no VPC needed."""

from __future__ import annotations

import configparser
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agentcheck.render.json import document
from tests.render.test_prometheus import REPORT
from tests.vpc import host

# The daemon of `python -m agentcheck.daemon`, but for what it runs as a round and where it speaks.
_DRIVER = """
import sys
from agentcheck.daemon import __main__, child, journal
child.program = lambda: [sys.argv[2]]
journal._backend = lambda: journal._print
sys.exit(__main__.main())
"""
PATIENCE_S = 30.0
NO_SETTINGS: Mapping[str, str] = {}
QUICK = {
    "daemon.interval": "1h",
    "daemon.jitter": "0%",
    "daemon.confirm": "1",
    "daemon.boot_grace": "1ms",
    "daemon.console_on_change": "no",
}


class Alone:
    """A daemon that runs, and all that it says: to the service manager, in files, on stdout."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str] = NO_SETTINGS, **environ: str
    ) -> None:
        self.folder = folder
        self.config = folder / "agentcheck.conf"
        self.round = folder / "round"
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(folder / "notify"))
        self.told: list[dict[str, str]] = []
        for name in ("run", "state"):
            (folder / name).mkdir(exist_ok=True)
        self.set(settings)
        if not self.round.exists():
            self.replies(document(REPORT))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _DRIVER, str(self.config), str(self.round)],
            cwd=host.ROOT,
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._manager.close()

    def set(self, settings: Mapping[str, str]) -> None:
        """Writes its configuration: SECTION.KEY to a value, beside what makes it quick."""
        parser = configparser.ConfigParser(interpolation=None)
        own = {"state.run_dir": f"{self.folder}/run", "state.state_dir": f"{self.folder}/state"}
        for name, text in {**QUICK, **own, **settings}.items():
            section, _, key = name.partition(".")
            parser.read_dict({section: {key: text}})
        with self.config.open("w") as file:
            parser.write(file)

    def replies(self, reply: Any) -> None:
        """What a round prints from now on."""
        text = reply if isinstance(reply, str) else json.dumps(reply)
        self.runs(f"cat <<'END'\n{text}\nEND\n")

    def runs(self, script: str) -> None:
        """What a round is from now on."""
        fresh = self.round.with_suffix(".new")
        fresh.write_text(f"#!/bin/sh\n{script}")
        fresh.chmod(0o755)
        fresh.replace(self.round)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def until(self, key: str, *words: str) -> str:
        """What the service manager is told under a key from now on, with all of the words."""
        deadline = time.monotonic() + PATIENCE_S
        self._manager.settimeout(1)
        while True:
            try:
                lines = self._manager.recv(65536).decode().splitlines()
            except socket.timeout:
                over = self._process.poll() is not None or time.monotonic() > deadline
                assert not over, f"not told: {key} {words}; but: {self.told}"
                continue
            message = dict(line.split("=", 1) for line in lines)
            self.told.append(message)
            if key in message and all(word in message[key] for word in words):
                return message[key]

    def report(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads((self.folder / "run/report.json").read_text())
        return found

    def end(self) -> str:
        """Ends it as the service manager does; returns what it printed."""
        self.signal(signal.SIGTERM)
        said, _ = self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0, said
        return str(said)

    def wait(self) -> tuple[int, str]:
        """For one that ends by itself: its status and what it printed."""
        said, _ = self._process.communicate(timeout=PATIENCE_S)
        return self._process.returncode, str(said)


def eventually(happens: Callable[[], bool]) -> None:
    """Waits for a state that nobody tells."""
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
