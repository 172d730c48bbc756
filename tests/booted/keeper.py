"""The process that boots a machine, waits until it is no longer wanted, and clears up after it.

keeper.py FOLDER TREE NETWORK [OPTION OF systemd-nspawn]...   NETWORK is a descriptor

Of a session of its own, so that it outlives a Ctrl-C and even the death of who started it: then its
standard input ends, and that is its sign to stop.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.booted import cgroups
from tests.vpc.artefacts import program

_STOP_S = 8.0
# In mount and process namespaces of its own, which end with the machine. A tmpfs takes what is
# written: neither the tree nor what lies over it changes.
_BOOT = """\
folder=$1 tree=$2 network=$3
shift 3
mount -t tmpfs -o mode=755 machine "$folder/space"
cd "$folder/space"
mkdir upper work root
mount -t overlay -o "lowerdir=$folder/layer:$tree,upperdir=upper,workdir=work" machine root
touch network
mount --bind "/proc/self/fd/$network" network
mount -t tmpfs -o mode=755 machine /run
mount -t proc proc root/proc
chroot root /bin/sh -euc '
    systemd-sysusers
    journalctl --update-catalog
    python3 -W ignore -m compileall -q /usr/lib/python3/dist-packages' >&2
umount root/proc
for group; do
    shift
    [ "$group" != -- ] || break
    echo 0 >"$group/cgroup.procs"
done
# In that network already, so that its sysfs shows these interfaces. Status 133 wants a reboot.
until nsenter --net=network "$@"; do [ $? = 133 ]; done
"""


def main() -> None:
    folder, tree, network, *options = sys.argv[1:]
    name = Path(folder).name
    for group in cgroups.folders(name):
        group.mkdir()
    process = None
    try:
        process = _boot(folder, tree, network, options)
        _wait(process)
        _stop(name, process)
    finally:
        if process is not None and process.poll() is None:
            process.kill()  # all of the machine goes with it
            process.wait()
        gone = cgroups.removed(name, 5)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if gone else 1)


def _boot(folder: str, tree: str, network: str, options: list[str]) -> subprocess.Popen[Any]:
    name = Path(folder).name
    apart = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    groups = [str(path) for path in cgroups.folders(name)]
    nspawn = [program("systemd-nspawn"), "--quiet", "--directory=root", "--boot", *options]
    nspawn += ["--settings=no", "--register=no", "--keep-unit", "--link-journal=no"]
    nspawn += ["--resolv-conf=off", "--timezone=off", "--console=read-only"]
    nspawn += [f"--machine={name}", "--network-namespace-path=network"]
    script = ["sh", "-euc", _BOOT, "sh", folder, tree, network, *groups, "--", *nspawn]
    with Path(folder, "console").open("wb") as console, Path(folder, "log").open("wb") as log:
        return subprocess.Popen(
            [program("setpriv"), "--pdeathsig=KILL", program("unshare"), *apart, *script],
            env={
                "PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin",
                # As on an EC2 instance, whatever this machine has.
                "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                "SYSTEMD_NSPAWN_LOCK": "0",
            },
            pass_fds=[int(network)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=log,
        )


def _wait(process: subprocess.Popen[Any]) -> None:
    """Until nobody wants the machine any more, or it has ended by itself."""
    ended = os.pidfd_open(process.pid)
    with selectors.DefaultSelector() as selector:
        for source in (0, ended):
            selector.register(source, selectors.EVENT_READ)
        selector.select()
    os.close(ended)


def _stop(name: str, process: subprocess.Popen[Any]) -> None:
    """Has nspawn shut the machine down."""
    depth = len(cgroups.ids(os.getpid())) + 1
    for one in set(cgroups.processes(name)):
        try:
            command = Path(f"/proc/{one}/comm").read_text().strip()
            if command == "systemd-nspawn" and len(cgroups.ids(one)) == depth:
                os.kill(one, signal.SIGTERM)
        except OSError:
            continue
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        pass


if __name__ == "__main__":
    main()
