"""Pythons other than the one that `dev` starts from: run by the bare Python 3.9+ of the machine.

pythons.py find X.Y                prints an installed interpreter; exit 1 when there is none
pythons.py test X.Y FOLDER [ARG]   `dev test ARG...` in a Debian tree, kept in FOLDER
pythons.py record                  writes the lock files and floors.txt anew
"""

import datetime
import fcntl
import glob
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn, Optional

import requirements
from environment import die, quietly, say

RECORDED = ["3.9", "3.10", "3.11", "3.12", "3.13"]

# The Debian release that has this Python as its own.
SUITES = {"3.9": "bullseye", "3.11": "bookworm", "3.13": "trixie"}

# The tests need openssl; systemd-python is built, and needs the rest.
TREE_PACKAGES = (
    "python3,python3-venv,python3-dev,gcc,libc6-dev,pkg-config,libsystemd-dev,openssl,util-linux"
)

# Settings of this machine's interpreters and folders, which do not hold in a tree.
OUTSIDE = {"PYTHONPATH", "PYTHONHOME", "PYENV_VERSION", "VIRTUAL_ENV", "XDG_CACHE_HOME", "TMPDIR"}

# How this machine reaches the registries, which a tree has to do the same way.
NETWORK_FILES = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pip.conf",
    "/etc/xdg/pip/*",
]


def run(*command: str) -> None:
    """Silently; when it fails, that is the end."""
    trouble = quietly(*command)
    if trouble:
        die(f"{trouble}\ndev: failed: {' '.join(command[:4])} ...")


def find(version: str) -> Optional[str]:
    """An interpreter of that version that runs: a shim of pyenv may only complain."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [
        os.environ.get("PYTHON") or "python3",
        f"python{version}",
        *(str(path) for path in pyenv.glob(f"versions/{version}.*/bin/python3")),
    ]
    asks = "import sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"
    for candidate in candidates:
        try:
            done = subprocess.run([candidate, "-c", asks], capture_output=True, text=True)
        except OSError:
            continue
        found, _, path = done.stdout.strip().partition(" ")
        if done.returncode == 0 and found == version:
            return path
    return None


def mirror() -> str:
    """The archive that this Debian machine itself installs its release from."""
    release = Path("/etc/os-release").read_text("utf-8")
    codename = re.search(r'^VERSION_CODENAME="?(\w+)', release, re.M)
    if codename is None or not re.search(r'^ID="?debian\b', release, re.M):
        die("a tree with another Python is made on Debian only: install that Python")
    suite = codename.group(1)
    folder = Path("/etc/apt/sources.list.d")
    for path in [Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list"))]:
        text = path.read_text("utf-8") if path.exists() else ""
        line = re.search(rf"^deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+{suite}\s", text, re.M)
        if line:
            return line.group(1)
    for path in sorted(folder.glob("*.sources")):
        for stanza in path.read_text("utf-8").split("\n\n"):
            fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.*)$", stanza, re.M))
            if suite in fields.get("Suites", "").split() and fields.get("URIs"):
                return str(fields["URIs"].split()[0])
    return die("apt names no Debian mirror here")


def tree(version: str, folder: Path) -> Path:
    """A Debian tree, made once and under another name until it is whole."""
    suite = SUITES.get(version)
    if suite is None:
        die(f"no Python {version} is installed, and no Debian has it")
    name = f"tree-{suite}-{hashlib.sha256(TREE_PACKAGES.encode()).hexdigest()[:12]}"
    made = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            say(f"making a Debian {suite} tree for Python {version} (kept: {made})")
            part = folder / f"{name}.part"
            subprocess.run(["rm", "-rf", "--one-file-system", str(part)], check=True)
            with_packages = f"--include={TREE_PACKAGES}"
            run("debootstrap", "--variant=minbase", with_packages, suite, str(part), mirror())
            (part / "agentcheck").mkdir()
            part.rename(made)
        for file in itertools.chain.from_iterable(map(glob.glob, NETWORK_FILES)):
            target = made / file[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy(file, target)
    return made


def test_in_tree(made: Path, arguments: list[str]) -> NoReturn:
    """Becomes `dev test` inside the tree. The mounts end with the namespace they are made in."""
    script = """tree=$1 root=$2 && shift 2
        mount -t proc proc "$tree/proc"
        mount --rbind /dev "$tree/dev"
        mount --rbind /sys "$tree/sys"
        mount --bind "$root" "$tree/agentcheck"
        exec chroot "$tree" /agentcheck/dev test --without vpc --without booted "$@" """
    inside = {name: os.environ[name] for name in os.environ if name not in OUTSIDE}
    inside.update(HOME="/root", PYTHON="/usr/bin/python3", PATH="/usr/sbin:/usr/bin:/sbin:/bin")
    root = str(requirements.PYPROJECT.parent)
    command = ["unshare", "--mount", "sh", "-euc", script, "sh", str(made), root, *arguments]
    os.execvpe("unshare", command, inside)


def freeze(python: str, title: str, wanted: list[str]) -> str:
    """What pip makes of these requirements today, with every version pinned."""
    with tempfile.TemporaryDirectory() as folder:
        run(python, "-m", "venv", folder)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        run(*pip, "install", "--no-input", *wanted)
        frozen = subprocess.run([*pip, "freeze"], stdout=subprocess.PIPE, text=True, check=True)
    return f"# {title}, on {datetime.date.today()}. Written by ./dev lock.\n{frozen.stdout}"


def record() -> None:
    """A Python that is not installed keeps its file; the rest is rewritten."""
    here = requirements.HERE
    deps = requirements.dependencies() + requirements.journal()
    tests = ["-r", str(here / "test.txt")]
    for version in RECORDED:
        python = find(version)
        if python is None:
            say(f"no Python {version} is installed: lock-{version}.txt stays as it is")
            continue
        say(f"recording Python {version}")
        wanted = [*deps, *tests, "-r", str(here / "lint.txt")]
        text = freeze(python, f"The newest of everything for Python {version}", wanted)
        (here / f"lock-{version}.txt").write_text(text, "utf-8")
        if version == RECORDED[0]:
            title = f"The oldest that pyproject.toml promises, the rest newest for Python {version}"
            text = freeze(python, title, [*map(requirements.floor, deps), *tests])
            (here / "floors.txt").write_text(text, "utf-8")


def main(arguments: list[str]) -> int:
    """Answers on stdout."""
    if arguments[:1] == ["find"]:
        found = find(arguments[1])
        print(found or "", end="")
        return 0 if found else 1
    if arguments[:1] == ["test"]:
        test_in_tree(tree(arguments[1], Path(arguments[2])), arguments[3:])
    if arguments == ["record"]:
        record()
        return 0
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
