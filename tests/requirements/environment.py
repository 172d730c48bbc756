"""The virtual environments of `dev`: run by the bare Python 3.9+ that they are made from.

environment.py path FLAVOUR FOLDER    prints where it is; exit 1 when it is not there or not whole
environment.py make FLAVOUR FOLDER    the same, and makes it unless somebody else just has
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import requirements
from requirements import HERE

# Beside the project's own dependencies. `run` is for somebody who wants a report, not to develop.
FLAVOURS = {
    "run": [],
    "dev": ["test.txt", "lint.txt"],
    "floors": ["test.txt"],
    "mutate": ["test.txt", "mutate.txt"],
}
RECORDED = {"floors": "floors.txt", "mutate": "mutate-lock.txt"}


def say(message: str) -> None:
    """Progress goes to stderr: stdout holds the answer only."""
    print(f"dev: {message}", file=sys.stderr)


def die(message: str) -> NoReturn:
    """Ends as a failed precondition does everywhere in `dev`: status 69."""
    say(message)
    sys.exit(69)


def quietly(*command: str) -> str:
    """Runs it; returns nothing when all went well, else the end of what it said."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return ""
    return "\n".join(done.stdout.splitlines()[-15:]) or f"exit status {done.returncode}"


def versions_file(flavour: str) -> Path:
    """The recorded versions and hashes. Newer Pythons have none."""
    return HERE / RECORDED.get(flavour, "lock-{}.{}.txt".format(*sys.version_info))


def path(flavour: str, folder: Path) -> Path:
    """Same interpreter and same requirements, same place; anything else, another place."""
    seen = hashlib.sha256(repr((sys.version_info, sys.base_prefix)).encode())
    seen.update(repr((requirements.dependencies(), requirements.journal())).encode())
    for file in [versions_file(flavour), *(HERE / name for name in FLAVOURS[flavour])]:
        seen.update(file.read_bytes() if file.exists() else b"")
    return folder / f"venv-{flavour}-{sys.version.split()[0]}-{seen.hexdigest()[:12]}"


def is_whole(venv: Path) -> bool:
    """The stamp is written last. The interpreter that it was made from may be gone since."""
    if not (venv / "complete").exists():
        return False
    try:
        return quietly(str(venv / "bin/python"), "-c", "") == ""
    except OSError:
        return False


def install(venv: Path, flavour: str, wanted: list[str]) -> str:
    """What went wrong, if anything did.

    Only files whose hashes are recorded are taken, whoever the index is and whatever it says.
    """
    pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install"]
    recorded = versions_file(flavour)
    if not recorded.exists():
        say("no versions are recorded for this Python: taking the newest, unchecked")
        return quietly(*pip, *wanted)
    pins = venv / "pins.txt"
    pins.write_text(requirements.pinned(recorded.read_text("utf-8"), wanted), "utf-8")
    return quietly(*pip, "--require-hashes", "-r", str(pins))


def make(flavour: str, venv: Path) -> None:
    """Under a lock that ends with this process, however that ends."""
    with venv.with_name(f"{venv.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_whole(venv):
            return
        if venv.exists():
            shutil.rmtree(venv)
        python = "{}.{}".format(*sys.version_info)
        say(f"making a virtual environment of Python {python} (kept: {venv})")
        trouble = quietly(sys.executable, "-m", "venv", str(venv))
        if trouble:
            die(f"{trouble}\ndev: {sys.executable} cannot make a virtual environment")

        wanted = requirements.dependencies()
        for name in FLAVOURS[flavour]:
            wanted += requirements.lines(HERE / name)
        trouble = install(venv, flavour, wanted)
        if trouble:
            die(f"{trouble}\ndev: pip could not install the dependencies")
        trouble = install(venv, flavour, requirements.journal())
        if trouble:
            (venv / "systemd-python.log").write_text(trouble, "utf-8")
            say(
                "going on without systemd-python, which cannot be built here "
                f"(why: {venv}/systemd-python.log)"
            )
        (venv / "complete").touch()


def main(arguments: list[str]) -> int:
    """Answers on stdout."""
    if len(arguments) != 3 or arguments[1] not in FLAVOURS:
        raise SystemExit(__doc__)
    verb, flavour, folder = arguments
    venv = path(flavour, Path(folder))
    if verb == "make":
        make(flavour, venv)
    print(venv)
    return 0 if is_whole(venv) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
