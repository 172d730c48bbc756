"""A machine as tests use it."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Callable, Optional, Union

from tests.booted import cgroups, layer
from tests.booted.tree import tree
from tests.vpc import host, linux
from tests.vpc.artefacts import LabError, program
from tests.vpc.lab import Outcome, Vpc
from tests.vpc.plan import INSTANCE_PATH
from tests.vpc.scenario import Text

BOOT_S = 30.0
STOP_S = 20.0
_PUT = """\
set -e
mkdir -p "${1%/*}"
cat >"$1.new"
chmod "$2" "$1.new"
mv -fT "$1.new" "$1"
"""
ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "LOGNAME": "root",
    "PATH": INSTANCE_PATH,
    "SHELL": "/bin/sh",
    "USER": "root",
}


@dataclass(frozen=True)
class Process:
    """One process: its id on the machine, and the one that it has for us."""

    inside: int
    outside: int


@dataclass(frozen=True)
class Answer:
    """What an HTTP server said."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: str


class Machine:
    """A Debian that systemd boots in the network of the VPC's instance, in whose place it is.

    The agent of the VPC's own instance ends; that of the machine is a service. What the machine
    writes is gone with it. `options` are for systemd-nspawn.
    """

    def __init__(
        self,
        vpc: Vpc,
        files: Optional[Mapping[str, Text]] = None,
        release: str = "bookworm",
        options: Sequence[str] = (),
    ) -> None:
        self.vpc = vpc
        self.release = release
        self.state = ""  # what `systemctl is-system-running` said after the boot
        self._files = dict(files or {})
        self._options = list(options)
        self._folder: Optional[Path] = None
        self._keeper: Optional[subprocess.Popen[bytes]] = None
        self._console: Optional[BinaryIO] = None
        self._log: Optional[BinaryIO] = None
        self._leader = 0

    def __enter__(self) -> Machine:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    @property
    def name(self) -> str:
        """That of its control groups, and of its folder."""
        assert self._folder is not None
        return self._folder.name

    @property
    def leader(self) -> int:
        """Its process 1, by our process ids."""
        return self._leader

    @property
    def keeper(self) -> int:
        """The process that ends the machine when we do."""
        assert self._keeper is not None
        return self._keeper.pid

    @property
    def console(self) -> str:
        """What has appeared on its console so far."""
        return _text(self._console)

    def run(
        self,
        argv: Sequence[str],
        timeout: float = 60,
        input: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
    ) -> Outcome:
        """One command on the machine, as from a shell of root, to its end."""
        process = subprocess.Popen(
            self._inside(argv),
            env={**ENVIRONMENT, **(env or {})},
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            stdout, stderr = process.communicate(input, timeout)
        except BaseException:
            host.end(process)
            raise
        return Outcome(process.returncode, stdout, stderr, self.vpc.served)

    def check(self, *argv: str, input: Optional[str] = None) -> str:
        """The output of a command that must succeed."""
        done = self.run(argv, input=input)
        if done.returncode:
            complaint = " ".join((done.stderr or done.stdout).split())
            raise LabError(f"machine: {' '.join(argv)[:200]}: {complaint[:500]}")
        return done.stdout

    def systemctl(self, *arguments: str) -> str:
        """What must succeed; `run` is for what may not."""
        return self.check("systemctl", *arguments)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit, all when none is named."""
        asked = [f"--property={','.join(properties)}"] if properties else []
        lines = self.systemctl("show", *asked, "--", unit).splitlines()
        return {key: text for key, _, text in (line.partition("=") for line in lines)}

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """The entries that match (`FIELD=VALUE`, or options of journalctl), with all fields."""
        self.check("journalctl", "--sync")
        done = self.run(["journalctl", "--output=json", "--all", "--no-pager", "--quiet", *matches])
        if done.stderr:  # no entry at all is status 1
            raise LabError(f"journalctl: {' '.join(done.stderr.split())}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def put(self, path: str, text: Optional[Text], mode: int = 0o644) -> None:
        """Writes a file, at one stroke; None removes it."""
        assert path.startswith("/")
        if text is None:
            self._shell('rm -f "$1"', path)
        else:
            raw = text.encode() if isinstance(text, str) else text
            self._shell(_PUT, path, f"{mode:o}", given=raw)

    def read(self, path: str) -> str:
        return self._shell('cat -- "$1"', path).decode(errors="replace")

    def pid_of(self, unit: str) -> Process:
        """The main process of a service."""
        inside = int(self.show(unit, "MainPID")["MainPID"])
        if not inside:
            raise LabError(f"{unit} has no main process")
        return self.process(inside)

    def process(self, inside: int) -> Process:
        """One by its id on the machine."""
        depth = len(cgroups.ids(self._leader))
        for path in Path("/proc").glob("[0-9]*"):
            ids = cgroups.ids(int(path.name))
            if len(ids) == depth and ids[-1] == inside and _same_processes(path, self._leader):
                return Process(inside, int(path.name))
        raise LabError(f"no process {inside} on the machine")

    def kill(self, process: Union[int, Process], number: int = signal.SIGTERM) -> None:
        """Sends a signal to one; a number is its id on the machine."""
        found = process if isinstance(process, Process) else self.process(process)
        os.kill(found.outside, number)

    def http(
        self,
        port: Union[int, str],
        path: str = "/",
        method: str = "GET",
        headers: Optional[Mapping[str, str]] = None,
        timeout: float = 10,
    ) -> Answer:
        """Asks a server on the machine's loopback; a text is the path of a unix socket."""
        connection = http.client.HTTPConnection("localhost", timeout=timeout)
        connection.sock = self.connect(port, timeout)
        if isinstance(port, int):
            connection.port = port  # it goes into the Host header
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            told = {key.lower(): text for key, text in answer.getheaders()}
            return Answer(answer.status, told, answer.read().decode(errors="replace"))
        finally:
            connection.close()

    def connect(self, port: Union[int, str], timeout: float = 10) -> socket.socket:
        """A connection to such a server."""
        if isinstance(port, str):
            channel = socket.socket(socket.AF_UNIX)
            channel.settimeout(timeout)
            channel.connect(f"/proc/{self._leader}/root{port}")
            return channel
        with linux.in_network_of(self._leader):
            return socket.create_connection(("127.0.0.1", port), timeout)

    def update(self, **changes: Any) -> None:
        """Changes the scenario as `Vpc.update`; the agent follows at its next start."""
        self.vpc.update(**changes)
        self.put(layer.ORDERS, layer.orders(self.vpc.scenario), 0o600)

    def reboot(self) -> None:
        """Has it boot again, with what is on its disk: all but /run, /tmp and the like."""
        before = self._leader
        deadline = time.monotonic() + BOOT_S
        self.run(["systemctl", "reboot"])
        self._await(deadline, lambda: self._found_leader() and self._leader != before)
        self._await(deadline, self._is_up)

    def stop(self) -> None:
        """Shuts it down, in order as long as that takes no longer than usual, else at once."""
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()  # for which it waits
            try:
                self._keeper.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._keeper.kill()  # the machine goes with it
                self._keeper.wait()
            cgroups.removed(self.name, 5)  # if the keeper could not
            self._keeper = None
        if self._folder is not None and self._folder.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", str(self._folder)], check=False)

    def _start(self) -> None:
        if os.geteuid() != 0 or not host.may_administer():
            raise LabError("a machine is booted by root only")
        for name in ("systemd-nspawn", "setpriv", "unshare", "nsenter"):
            program(name)
        made = tree(self.release)
        self.vpc.stop_agent()
        # Its name is the machine's too, which may not have all characters that mkdtemp takes.
        folder = Path(tempfile.gettempdir(), f"agentcheck-machine-{secrets.token_hex(5)}")
        folder.mkdir(0o700)
        self._folder = folder
        for name in ("layer", "space"):
            (self._folder / name).mkdir()
        layer.write(self._folder / "layer", made, self.vpc.scenario, self._files)
        for name in ("console", "log"):
            (self._folder / name).touch()
        self._console = (self._folder / "console").open("rb")
        self._log = (self._folder / "log").open("rb")
        with open(self.vpc.network, "rb") as network, (self._folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "tests.booted.keeper", str(self._folder), str(made)]
            self._keeper = subprocess.Popen(
                [*command, str(network.fileno()), *self._options],
                pass_fds=[network.fileno()],
                env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(host.ROOT)},
                cwd=host.ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + BOOT_S
        self._await(deadline, self._found_leader)
        self._await(deadline, self._is_up)

    def _await(self, deadline: float, happens: Callable[[], bool]) -> None:
        assert self._keeper is not None
        while not happens():
            dead = self._keeper.poll() is not None
            if dead or time.monotonic() > deadline:
                said = " ".join(f"{_text(self._log)} {self.console}".split()[-80:])
                how = "ended" if dead else f"was not up within {BOOT_S:.0f} s ({self.state})"
                raise LabError(f"the machine {how}: {said}")
            time.sleep(0.03)

    def _found_leader(self) -> bool:
        depth = len(cgroups.ids(os.getpid())) + 2
        for one in set(cgroups.processes(self.name)):
            ids = cgroups.ids(one)
            if len(ids) == depth and ids[-1] == 1:
                self._leader = one
                return True
        return False

    def _is_up(self) -> bool:
        try:
            done = self.run(["systemctl", "is-system-running"], timeout=10)
        except subprocess.TimeoutExpired:
            return False
        self.state = done.stdout.strip() or " ".join(done.stderr.split())
        return self.state in ("running", "degraded")

    def _inside(self, argv: Sequence[str]) -> list[str]:
        return [program("nsenter"), f"--target={self._leader}", "--all", "--", *argv]

    def _shell(self, script: str, *arguments: str, given: bytes = b"") -> bytes:
        done = subprocess.run(
            self._inside(["/bin/sh", "-c", script, "sh", *arguments]),
            env=ENVIRONMENT,
            input=given,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise LabError(f"machine: {' '.join(done.stderr.decode(errors='replace').split())}")
        return done.stdout


def _same_processes(path: Path, leader: int) -> bool:
    try:
        return os.readlink(path / "ns/pid") == os.readlink(f"/proc/{leader}/ns/pid")
    except OSError:
        return False


def _text(file: Optional[BinaryIO]) -> str:
    if file is None:
        return ""
    file.seek(0)
    return file.read().decode(errors="replace")
