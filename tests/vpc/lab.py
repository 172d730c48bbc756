"""The simulated VPC as tests and the command line use it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Optional, Union

from tests.vpc import agent, artefacts, certificates, host, plan, root
from tests.vpc.artefacts import LabError, program
from tests.vpc.scenario import Scenario, Text
from tests.vpc.scenarios import find

_START_S = 30.0
_PUT = """\
set -e
folder=$(dirname "$1")
mkdir -p "$folder"
fresh=$(mktemp "$folder/.put.XXXXXX")
cat >"$fresh"
chmod "$2" "$fresh"
mv -fT "$fresh" "$1"
"""
# What is given to `signal` are the programs; prints how many there were.
_SIGNAL = """\
signal=$1
shift
count=0
for process in /proc/[0-9]*; do
    program=$(readlink "$process/exe") || continue
    program=${program% (deleted)}
    for wanted; do
        [ "${program##*/}" = "$wanted" ] || continue
        kill -"$signal" "${process#/proc/}" && count=$((count + 1))
    done
done
echo $count
"""


@dataclass(frozen=True)
class Outcome:
    """What a command in the instance did, and what the servers gave out and received by then."""

    returncode: int
    stdout: str
    stderr: str
    served: list[str]  # JSON objects, in order


def default_command(scenario: Scenario, *more: str) -> list[str]:
    """One round of checks with the product's defaults, as on EC2."""
    return [sys.executable, "-m", "agentcheck", "run", *scenario.run_args, *more]


def run(
    scenario: Union[str, Scenario],
    argv: Optional[Sequence[str]] = None,
    timeout: float = 60,
    env: Optional[Mapping[str, str]] = None,
) -> Outcome:
    """One command (by default `agentcheck run`) in a fresh VPC."""
    with Vpc(scenario) as vpc:
        return vpc.run(argv, timeout, env)


class Vpc:
    """A VPC with its instance, alive inside `with`; nothing of it is left afterwards."""

    def __init__(self, scenario: Union[str, Scenario]) -> None:
        self.scenario = find(scenario) if isinstance(scenario, str) else scenario
        self._unprivileged = not host.may_administer()
        self._run: Optional[Path] = None
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._control: Optional[socket.socket] = None
        self._namespaces: dict[str, int] = {}

    def __enter__(self) -> Vpc:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._stop()

    @property
    def served(self) -> list[str]:
        """The record of the servers so far: JSON objects, in order."""
        assert self._run is not None
        return (self._run / "served").read_text().splitlines()

    @property
    def network(self) -> str:
        """The instance's network namespace, as a path, while the VPC is alive."""
        return f"/proc/{os.getpid()}/fd/{self._namespaces['net']}"

    def run(
        self,
        argv: Optional[Sequence[str]] = None,
        timeout: float = 60,
        env: Optional[Mapping[str, str]] = None,
    ) -> Outcome:
        """One command in the instance, to its end."""
        process = subprocess.Popen(
            self._inside(argv),
            env=self._environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException:
            host.end(process)
            raise
        return Outcome(process.returncode, stdout, stderr, self.served)

    def spawn(
        self,
        argv: Optional[Sequence[str]] = None,
        env: Optional[Mapping[str, str]] = None,
        **how: Any,
    ) -> subprocess.Popen[Any]:
        """One command in the instance, which goes on; `how` is for Popen. Ends with the VPC."""
        return subprocess.Popen(self._inside(argv), env=self._environment(env), **how)

    def nft(self, text: str) -> None:
        """Loads packet filter rules in the VPC, beside the table `inet vpc` of the scenario."""
        self._load(text, "vpc-net")

    def instance_nft(self, text: str) -> None:
        """Loads packet filter rules in the instance, beside its table `inet host`."""
        self._load(text, "net")

    def update(self, **changes: Any) -> None:
        """Changes fields of the scenario: servers, addresses, routes and rules follow at once.

        Not files, DMI and trust: the instance has those from its start. Nor the agent, until
        `start_agent`, which starts the programs that there are.
        """
        assert self._control is not None
        self.scenario = dataclasses.replace(self.scenario, **changes)
        self._plan().write()
        self._control.send(b"update")
        self._await()

    def put(self, path: str, text: Optional[Text], mode: int = 0o644) -> None:
        """Writes a file on the instance, at one stroke; None removes it."""
        assert path.startswith("/")
        if text is None:
            self._shell('rm -f "$1"', path)
        else:
            raw = text.encode() if isinstance(text, str) else text
            self._shell(_PUT, path, f"{mode:o}", given=raw)

    def start_agent(self) -> None:
        """Starts the agent as at boot, unless it runs, by the scenario as it is now."""
        if self._signal("0", "amazon-ssm-agent"):
            return
        assert self._run is not None
        root.show_age(self._run, self.scenario.agent.age)
        orders = agent.orders(self.scenario)
        try:
            # To the end of its output: so it says that it is done.
            done = subprocess.run(
                self._inside(["--orphan", agent.program(self.scenario)]),
                env=agent.environment(self.scenario),
                stdin=orders,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=10,
                check=False,
            )
        finally:
            os.close(orders)
        if done.returncode or done.stdout:
            raise LabError(f"the fake agent did not start: {done.stdout.decode(errors='replace')}")

    def stop_agent(self) -> None:
        """Ends the agent and its workers; returns when they are gone."""
        deadline = time.monotonic() + 10
        while self._signal("TERM", *root.PROGRAMS):
            if time.monotonic() > deadline:
                raise LabError("the fake agent did not end")
            time.sleep(0.01)

    def agent_speaks(self) -> None:
        """The agent writes to the channel that it holds."""
        if not self._signal("USR1", "ssm-agent-worker"):
            raise LabError("no worker of the fake agent runs")

    def _start(self) -> None:
        self._run = Path(tempfile.mkdtemp(prefix="agentcheck-vpc-"))
        (self._run / "served").touch()
        self._plan().write()
        for name in ("ip", "nft", "nsenter"):
            program(name)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        user = ["--user", "--map-root-user"] if self._unprivileged else []
        apart = ["--mount", "--propagation=unchanged", "--net", "--pid", "--fork", "--kill-child"]
        world = [sys.executable, "-m", "tests.vpc.world", str(self._run), str(theirs.fileno())]
        with theirs, (self._run / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program("unshare"), *user, *apart, "--mount-proc", *world],
                pass_fds=[theirs.fileno()],
                env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(host.ROOT)},
                cwd=host.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the command, which is then awaited
            )
        names = [*plan.INSTANCE_NAMESPACES, *(f"vpc-{name}" for name in plan.VPC_NAMESPACES)]
        self._namespaces = dict(zip(names, self._await(len(names))))
        if self.scenario.closed_later:
            self.update(rules=(*self.scenario.rules, *self.scenario.closed_later))

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()  # for which the VPC's process waits
        if self._process is not None:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()  # its child goes with it
                self._process.wait()
        for descriptor in self._namespaces.values():
            os.close(descriptor)
        self._namespaces = {}
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)

    def _plan(self) -> plan.Plan:
        assert self._run is not None
        told = self.scenario.agent
        return plan.Plan(
            scenario=self.scenario,
            run=self._run,
            certificates=certificates.folder(),
            agent=artefacts.compiled("agent.c", VERSION=told.version),
            running_agent=artefacts.compiled("agent.c", VERSION=told.running_version)
            if told.running_version is not None and told.running
            else None,
            init=artefacts.compiled("init.c"),
            shown=host.shown(),
            measured=host.measured(),
        )

    def _await(self, descriptors: int = 0) -> list[int]:
        """What the VPC's process says: ready, or what is wrong."""
        assert self._control is not None
        assert self._run is not None
        self._control.settimeout(_START_S)
        try:
            message, received, _, _ = socket.recv_fds(self._control, 4096, descriptors)
        except socket.timeout:
            raise LabError(f"the VPC was not ready within {_START_S:.0f} s") from None
        if message == b"ready":
            return received
        log = " ".join((self._run / "log").read_text(errors="replace").split()[-60:])
        if "unshare" in log and not message:
            log += " (needs root, or permission for unprivileged user namespaces)"
        raise LabError(message.decode() or f"the VPC's process died: {log}")

    def _enter(self, **namespaces: str) -> list[str]:
        """The command that enters namespaces, by our descriptors: no process id is needed."""
        where = {option: self._namespaces[name] for option, name in namespaces.items()}
        if self._unprivileged:
            where["user"] = self._namespaces["vpc-user"]
        options = [f"--{option}=/proc/{os.getpid()}/fd/{fd}" for option, fd in where.items()]
        keep = ["--preserve-credentials"] if self._unprivileged else []
        return [program("nsenter"), *options, *keep, "--"]

    def _inside(self, argv: Optional[Sequence[str]]) -> list[str]:
        entered = self._enter(
            mount="mnt", net="net", pid="pid", uts="uts", ipc="ipc", cgroup="cgroup"
        )
        return [*entered, "/init", *(default_command(self.scenario) if argv is None else argv)]

    def _signal(self, signal: str, *programs: str) -> int:
        """Sends a signal to all processes of some programs; says how many there are."""
        return int(self._shell(_SIGNAL, signal, *programs))

    def _shell(self, script: str, *arguments: str, given: bytes = b"") -> bytes:
        """A script on the instance, of which nothing is recorded."""
        done = subprocess.run(
            self._inside(["/bin/sh", "-c", script, "sh", *arguments]),
            env={"PATH": plan.INSTANCE_PATH, "LC_ALL": "C"},
            input=given,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise LabError(f"instance: {' '.join(done.stderr.decode(errors='replace').split())}")
        return done.stdout

    def _environment(self, more: Optional[Mapping[str, str]]) -> dict[str, str]:
        """That of a shell of root on the instance: nothing of ours, but where the product is."""
        terminal = {"TERM": os.environ["TERM"]} if "TERM" in os.environ else {}
        return {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PATH": plan.INSTANCE_PATH,
            "PYTHONPATH": str(host.ROOT),
            "SHELL": "/bin/sh",
            "USER": "root",
            **terminal,
            **host.measurement(),
            **self.scenario.environment,
            **(more or {}),
        }

    def _load(self, text: str, namespace: str) -> None:
        command = [*self._enter(net=namespace), program("nft"), "-f", "-"]
        done = subprocess.run(
            command, input=text + "\n", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LabError(f"nft: {' '.join(done.stderr.split())}")
