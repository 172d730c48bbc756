"""The instance's root file system.

Of the machine below, /usr is there (read-only, with the agent added), the Python that runs the lab,
and the project; nothing else.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from tests.vpc import agent, files, linux, units
from tests.vpc.plan import Plan

PROGRAMS = ("amazon-ssm-agent", "ssm-agent-worker")
_OTHER_PROGRAMS = ("ssm-cli", "ssm-document-worker", "ssm-session-logger", "ssm-session-worker")
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


def enter(plan: Plan) -> None:
    """Makes the root file system in this mount namespace, and goes there."""
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
    if plan.measured is not None:
        linux.bind(plan.measured, root / plan.measured.relative_to("/"), read_only=False)
    if Path("/etc/alternatives").is_dir():
        linux.bind(Path("/etc/alternatives"), root / "etc/alternatives")
    linux.mount("proc", root / "proc", "proc")
    (plan.run / "cmdline").write_text(_COMMAND_LINE)
    show_age(plan.run, plan.scenario.agent.age)
    for name in ("cmdline", "stat"):
        linux.bind(plan.run / name, root / "proc" / name)
    for name in _DEVICES:
        linux.bind(Path("/dev", name), root / "dev" / name, read_only=False)
    _snap(plan, root)
    if plan.scenario.agent.updating:
        _copy(plan.agent, root / agent.UPDATER.lstrip("/"))
    if plan.scenario.agent.unit is not None:
        (root / units.BOOTED).mkdir(parents=True)
    for name, target in _LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    for name, options in plan.scenario.mounts.items():
        words = [word for word in options.split(",") if word != "ro"]
        linux.mount("tmpfs", root / name.lstrip("/"), "tmpfs", ",".join(words))
    _write(plan, root)
    for name, options in plan.scenario.mounts.items():
        if "ro" in options.split(","):  # once it holds what it should
            linux.bind(root / name.lstrip("/"), root / name.lstrip("/"))
    shutil.copy(plan.init, root / "init")
    linux.enter_root(root)


def show_age(run: Path, seconds: float) -> None:
    """Moves the start of the instance's kernel back, from which the age of a process is reckoned.

    In place: the instance has this very file as /proc/stat.
    """
    lines = Path("/proc/stat").read_text().splitlines(keepends=True)
    moved = [
        f"btime {int(line.split()[1]) - round(seconds)}\n" if line.startswith("btime ") else line
        for line in lines
    ]
    (run / "stat").touch()
    with (run / "stat").open("r+") as file:
        file.write("".join(moved))
        file.truncate()


def replace_programs(content: bytes) -> None:
    """Puts other programs in the place of the agent's, as a package manager does."""
    for name in PROGRAMS:
        fresh = Path("/usr/bin", f"{name}.dpkg-new")
        fresh.write_bytes(content)
        fresh.chmod(0o755)
        fresh.rename(Path("/usr/bin", name))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


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
    programs = layer / "lower" / "bin"
    for folder in (programs, layer / "upper", layer / "work"):
        folder.mkdir(parents=True)
    for name in PROGRAMS + _OTHER_PROGRAMS:
        if name in PROGRAMS and plan.scenario.agent.installed in ("deb", "both"):
            shutil.copy(plan.running_agent or plan.agent, programs / name)
        elif Path("/usr/bin", name).exists():
            os.mknod(programs / name, stat.S_IFCHR)  # overlayfs takes it for a deleted file
    if plan.scenario.agent.unit is not None:
        (programs / "systemctl").write_text(units.SYSTEMCTL)
        (programs / "systemctl").chmod(0o755)
    if not list(programs.iterdir()):
        linux.bind(Path("/usr"), root / "usr")
        return
    options = [f"lowerdir={layer / 'lower'}:/usr"]
    if plan.running_agent is not None:  # then it is replaced, so this must be writable
        options[0] += f",upperdir={layer / 'upper'},workdir={layer / 'work'}"
        options.append(f"{options[0]},userxattr")  # how a user's namespace may
    if not _overlay(root / "usr", options):
        _usr_piecemeal(programs, root / "usr")


def _overlay(target: Path, options: Iterable[str]) -> bool:
    for one in options:
        try:
            linux.mount("overlay", target, "overlay", one)
        except OSError:
            continue
        return True
    return False


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
    told = plan.scenario.agent
    folder = root / agent.SNAP.lstrip("/")
    revisions = {}
    if told.installed in ("snap", "both"):
        revisions[agent.REVISION] = plan.agent, told.version
        if plan.running_agent is not None and told.running_version is not None:
            revisions[agent.OLDER_REVISION] = plan.running_agent, told.running_version
    for revision, (program, version) in revisions.items():
        for name in PROGRAMS:
            _copy(program, folder / revision / name)
        text = f"name: amazon-ssm-agent\nversion: {version}\nconfinement: classic\n"
        (folder / revision / "meta").mkdir()
        (folder / revision / "meta/snap.yaml").write_text(text)
    if revisions or told.dangling_snap:
        folder.mkdir(parents=True, exist_ok=True)
        current = agent.MISSING_REVISION if told.dangling_snap else agent.REVISION
        (folder / "current").symlink_to(current)
