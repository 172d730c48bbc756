"""The instance: its processes. Runs in a child of the VPC's process, in namespaces of its own."""

from __future__ import annotations

import os
import select
import signal
import socket
from pathlib import Path
from typing import NoReturn

from tests.vpc import agent, linux, root
from tests.vpc.artefacts import LabError
from tests.vpc.plan import INSTANCE_PATH, Plan
from tests.vpc.scenario import Scenario


def become(plan: Plan, parent: socket.socket) -> NoReturn:
    """Turns this process into process 1 of the instance, told and telling when over `parent`."""
    try:
        linux.unshare(
            linux.CLONE_NEWNS
            | linux.CLONE_NEWNET
            | linux.CLONE_NEWUTS
            | linux.CLONE_NEWIPC
            | linux.CLONE_NEWCGROUP
        )
        parent.send(b"apart")
        fresh = plan.agent.read_bytes()
        root.enter(plan)
        socket.sethostname(plan.scenario.hostname)
        parent.recv(16)  # the network and its servers are up
        for signum in (signal.SIGPIPE, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)
        told = plan.scenario.agent
        if told.installed != "none" and told.running:
            _start_agent(plan.scenario, older=plan.running_agent is not None)
        if plan.running_agent is not None and told.installed in ("deb", "both"):
            root.replace_programs(fresh)
        if told.updating:
            _start_updater(plan.scenario)
        parent.send(b"ready")
        _forget_streams()
        os.execve("/init", ["/sbin/init"], {"PATH": INSTANCE_PATH})
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        parent.send(f"instance: {type(error).__name__}: {error}".encode()[:4000])
    os._exit(1)


def _start_agent(scenario: Scenario, older: bool) -> None:
    """Returns once the agent has done what the scenario wants it to do at start."""
    orders = agent.orders(scenario)
    done, report = os.pipe()
    path = agent.program(scenario, older)
    _start(path, [path], agent.environment(scenario), orders, report)
    os.close(report)
    os.close(orders)
    if not select.select([done], [], [], 10)[0] or os.read(done, 4096):
        raise LabError("the fake agent did not start")
    os.close(done)


def _start_updater(scenario: Scenario) -> None:
    null = os.open("/dev/null", os.O_RDWR)
    versions = ["-source-version", scenario.agent.version, "-target-version", "3.3.9999.0"]
    arguments = [agent.UPDATER, "-update", *versions]
    process = _start(agent.UPDATER, arguments, agent.environment(scenario), null, null)
    os.close(null)
    lock = Path(agent.UPDATE_LOCK)
    lock.write_text(f"{process}\n")
    lock.chmod(0o600)


def _start(
    path: str, arguments: list[str], environment: dict[str, str], given: int, report: int
) -> int:
    process = os.fork()
    if process == 0:
        try:
            os.setsid()
            os.dup2(given, 0)
            os.dup2(report, 1)
            os.dup2(report, 2)
            os.execve(path, arguments, environment)
        except OSError as error:
            os.write(2, str(error).encode())
        finally:
            os._exit(127)
    return process


def _forget_streams() -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
