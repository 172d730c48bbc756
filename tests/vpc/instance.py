"""The instance: its root file system, its agent and its process 1.

Runs in a child of the VPC's process, in namespaces of its own. Of the machine below, /usr is there
(read-only, with the agent added), the Python that runs the lab, and the project; nothing else.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import stat
from pathlib import Path
from typing import NoReturn

from tests.vpc import files, linux
from tests.vpc.artefacts import LabError
from tests.vpc.plan import INSTANCE_PATH, Plan

_PROGRAMS = ("amazon-ssm-agent", "ssm-agent-worker")
_OTHER_PROGRAMS = ("ssm-cli", "ssm-document-worker", "ssm-session-logger", "ssm-session-worker")
_SNAP = "snap/amazon-ssm-agent"
_REVISION = "9881"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {
    "dev/fd": "/proc/self/fd",
    "dev/stdin": "/proc/self/fd/0",
    "dev/stdout": "/proc/self/fd/1",
    "dev/stderr": "/proc/self/fd/2",
    "etc/mtab": "/proc/self/mounts",
    "etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
    "sys/class/dmi/id": "../../devices/virtual/dmi/id",
    "var/run": "/run",
    "var/tmp": "/tmp",
}
_FOLDERS = ("dev/shm", "home", "mnt", "opt", "run/lock", "srv", "tmp", "var/cache", "var/spool")
_COMMAND_LINE = "BOOT_IMAGE=/boot/vmlinuz root=/dev/nvme0n1p1 ro console=tty0 console=ttyS0\n"


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
        _build_root(plan)
        socket.sethostname("ip-10-0-0-50.ec2.internal")
        parent.recv(16)  # the network and its servers are up
        for signum in (signal.SIGPIPE, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)
        if plan.scenario.agent.installed != "none" and plan.scenario.agent.running:
            _start_agent(plan)
        parent.send(b"ready")
        _forget_streams()
        os.execve("/init", ["/sbin/init"], {"PATH": INSTANCE_PATH})
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        parent.send(f"instance: {type(error).__name__}: {error}".encode()[:4000])
    os._exit(1)


def _build_root(plan: Plan) -> None:
    root = plan.run / "root"
    linux.mount("tmpfs", root, "tmpfs", "mode=755")
    _usr(plan, root)
    for name in sorted(os.listdir("/")):
        path = Path("/", name)
        if name in ("bin", "sbin") or name.startswith("lib"):
            if path.is_symlink():
                (root / name).symlink_to(os.readlink(path))
            elif path.is_dir():
                linux.bind(path, root / name)
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "dev/shm"):
        (root / name).chmod(0o1777)
    for path in plan.shown:
        linux.bind(path, root / path.relative_to("/"))
    if Path("/etc/alternatives").is_dir():
        linux.bind(Path("/etc/alternatives"), root / "etc/alternatives")
    linux.mount("proc", root / "proc", "proc")
    (plan.run / "cmdline").write_text(_COMMAND_LINE)
    linux.bind(plan.run / "cmdline", root / "proc/cmdline")
    for name in _DEVICES:
        linux.bind(Path("/dev", name), root / "dev" / name, read_only=False)
    _snap(plan, root)
    for name, target in _LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    for name, options in plan.scenario.mounts.items():
        linux.mount("tmpfs", root / name.lstrip("/"), "tmpfs", options)
    _write(plan, root)
    shutil.copy(plan.init, root / "init")
    linux.enter_root(root)


def _write(plan: Plan, root: Path) -> None:
    for name, text in files.contents(plan.scenario, plan.certificates).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    for name in files.PRIVATE_FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(0o700)
    for name, mode in files.PRIVATE_FILES.items():
        if (root / name).exists():
            (root / name).chmod(mode)


def _usr(plan: Plan, root: Path) -> None:
    """This machine's /usr, with the scenario's agent in the place of its own."""
    layer = plan.run / "layer"
    linux.mount("tmpfs", layer, "tmpfs", "mode=755")
    programs = layer / "bin"
    programs.mkdir()
    for name in _PROGRAMS + _OTHER_PROGRAMS:
        if name in _PROGRAMS and plan.scenario.agent.installed in ("deb", "both"):
            shutil.copy(plan.agent, programs / name)
        elif Path("/usr/bin", name).exists():
            os.mknod(programs / name, stat.S_IFCHR)  # overlayfs takes it for a deleted file
    if not list(programs.iterdir()):
        linux.bind(Path("/usr"), root / "usr")
        return
    try:
        linux.mount("overlay", root / "usr", "overlay", f"lowerdir={layer}:/usr")
    except OSError:
        _usr_piecemeal(programs, root / "usr")


def _usr_piecemeal(programs: Path, usr: Path) -> None:
    """Where there may be no overlay: every program of /usr/bin by itself."""
    for entry in Path("/usr").iterdir():
        if entry.name != "bin":
            if entry.is_symlink():
                (usr / entry.name).symlink_to(os.readlink(entry))
            else:
                linux.bind(entry, usr / entry.name)
    (usr / "bin").mkdir()
    ours = {path.name for path in programs.iterdir()}
    for entry in Path("/usr/bin").iterdir():
        if entry.name in ours:
            continue
        if entry.is_symlink():
            (usr / "bin" / entry.name).symlink_to(os.readlink(entry))
        else:
            linux.bind(entry, usr / "bin" / entry.name)
    for path in programs.iterdir():
        if path.is_file():
            shutil.copy(path, usr / "bin" / path.name)


def _snap(plan: Plan, root: Path) -> None:
    agent = plan.scenario.agent
    if agent.installed not in ("snap", "both"):
        return
    folder = root / _SNAP / _REVISION
    (folder / "meta").mkdir(parents=True)
    for name in _PROGRAMS:
        shutil.copy(plan.agent, folder / name)
    text = f"name: amazon-ssm-agent\nversion: {agent.version}\nconfinement: classic\n"
    (folder / "meta/snap.yaml").write_text(text)
    (root / _SNAP / "current").symlink_to(_REVISION)


def _start_agent(plan: Plan) -> None:
    """Returns once the agent has done what the scenario wants it to do at start."""
    scenario = plan.scenario
    path = "/usr/bin/amazon-ssm-agent"
    if scenario.agent.installed == "snap":
        path = f"/{_SNAP}/{_REVISION}/amazon-ssm-agent"
    channel = scenario.channel
    # A worker, once the agent has credentials; its orders are in agent.c.
    lines = [""] if scenario.credentials_ready or channel else []
    needed = channel.get("ssm", ()) if scenario.agent.connected is None else ()
    lines += [f"need {address}" for address in needed]
    lines += [f"hold {address}" for address in channel.get("ssmmessages", ())]
    orders = os.memfd_create("orders")
    os.write(orders, "".join(line + "\n" for line in lines).encode())
    os.lseek(orders, 0, os.SEEK_SET)
    done, report = os.pipe()
    if os.fork() == 0:
        os.setsid()
        os.dup2(orders, 0)
        os.dup2(report, 1)
        os.dup2(report, 2)
        environment = {"PATH": INSTANCE_PATH, "LANG": "C.UTF-8", **scenario.agent.environment}
        os.execve(path, [path], environment)
    os.close(report)
    os.close(orders)
    if not select.select([done], [], [], 10)[0] or os.read(done, 4096):
        raise LabError("the fake agent did not start")
    os.close(done)


def _forget_streams() -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
