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


class Lock:
    """Records with uv, which resolves for Pythons that are not here too, and knows all files.

    It comes from the index that pip is set up for; which index it asks itself, UV_INDEX_URL says.
    """

    def __init__(self, folder: str) -> None:
        run(sys.executable, "-m", "venv", folder)
        run(f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check", "install", "uv")
        self._uv = [f"{folder}/bin/uv", "pip", "compile", "-", "--quiet", "--generate-hashes"]
        self._uv += ["--no-header", "--annotation-style=line"]

    def pins(self, version: str, wanted: list[str], *options: str) -> str:
        """These requirements and all that they need, to the version, with the hash of each file."""
        command = [*self._uv, "--python-version", version, *options]
        done = subprocess.run(command, input="\n".join(wanted), capture_output=True, text=True)
        if done.returncode:
            die(f"{done.stderr}\ndev: failed: uv pip compile")
        return done.stdout

    def write(self, path: Path, title: str, version: str, wanted: list[str]) -> None:
        say(f"recording {path.name}")
        text = f"# {title}, on {datetime.date.today()}. Written by ./dev lock.\n"
        path.write_text(text + self.pins(version, wanted), "utf-8")


def record() -> None:
    """Writes all lock files anew, and the hashes of what is pinned for builds."""
    here = requirements.HERE
    deps = requirements.dependencies() + requirements.journal()
    tests = requirements.lines(here / "test.txt")
    lint = requirements.lines(here / "lint.txt")
    with tempfile.TemporaryDirectory() as folder:
        lock = Lock(folder)
        for version in RECORDED:
            title = f"The newest of everything for Python {version}"
            lock.write(here / f"lock-{version}.txt", title, version, [*deps, *tests, *lint])
        oldest = RECORDED[0]
        title = f"The oldest that pyproject.toml promises, the rest newest for Python {oldest}"
        floors = [*map(requirements.floor, deps), *tests]
        lock.write(here / "floors.txt", title, oldest, floors)
        title = "What `./dev mutate` is measured with, for Python 3.11"
        tools = requirements.lines(here / "mutate.txt")
        lock.write(here / "mutate-lock.txt", title, "3.11", [*deps, *tests, *tools])
        say("recording the hashes of what is pinned for builds")
        text = requirements.PACKAGING.read_text("utf-8")
        pins = re.findall(r"^[\w.-]+==[\w.+-]+", text, re.M)
        hashed = requirements.recorded(lock.pins(RECORDED[-1], pins, "--no-deps"))
        bare = re.sub(r" \\\n +--hash=\S+", "", text)
        for pin in pins:
            found = hashed[requirements.name(pin)]
            bare = bare.replace(f"\n{pin}\n", f"\n{pin}{found[3]}\n")
        requirements.PACKAGING.write_text(bare, "utf-8")


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
