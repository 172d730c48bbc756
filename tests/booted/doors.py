"""What code that has taken agentcheck over would try: one table of doors, and their program.

A test puts this file in the place of /usr/bin/agentcheck, so that the units, as they are, start it:
every door is tried from inside the service's own sandbox, not from a copy of its settings. The
arguments are such that nothing is broken where a door is open. Standard library only; prints JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

OPEN = "open"
SECRET = "/etc/machine-secret"  # of root alone; the test makes it
LIBC = ctypes.CDLL(None, use_errno=True)
NULL = ctypes.c_void_p(0)
Attempt = Callable[[], object]


@dataclass(frozen=True)
class Door:
    """What is tried, and what comes of it in the daemon's unit and in that of the boot run.

    That is an errno's name, or "open" with the reason in `why`. `boot` None: as in the daemon's.
    """

    what: str
    attempt: Attempt
    daemon: str
    boot: Union[str, None] = None
    why: str = ""


class Failed(Exception):
    """A function of libc has: with its errno."""


def call(name: Union[str, int], *arguments: Any) -> int:
    """A function of libc, or a system call by its number. Raises Failed."""
    if isinstance(name, int):
        function, arguments = LIBC.syscall, (name, *arguments)
        function.restype = ctypes.c_long
    else:
        function = getattr(LIBC, name)
    ctypes.set_errno(0)
    result = function(*(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result == -1:
        raise Failed(ctypes.get_errno())
    return int(result)


def by_number(x86: int, arm: int) -> int:
    """What libc has no function for, on this machine."""
    return arm if platform.machine() == "aarch64" else x86


def calls(name: Union[str, int], *arguments: Any) -> Attempt:
    return lambda: call(name, *arguments)


def create(path: str) -> Attempt:
    return lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def change(path: str) -> Attempt:
    """Opens what is there for writing."""
    return lambda: os.close(os.open(path, os.O_WRONLY))


def read(path: str) -> Attempt:
    return lambda: os.read(os.open(path, os.O_RDONLY), 1)


def opened(family: int, kind: int, protocol: int = 0) -> Attempt:
    return lambda: socket.socket(family, kind, protocol)


def memory(flags: int) -> None:
    """Of process 1, through /proc."""
    descriptor = os.open("/proc/1/mem", flags)
    with open("/proc/1/maps", encoding="ascii") as maps:
        os.pread(descriptor, 1, int(maps.readline().split("-")[0], 16))


def memory_call(name: str) -> None:
    """One byte of process 1 at the address 0: EFAULT where only the address is wrong."""
    own = ctypes.create_string_buffer(1)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(own), 1)
    call(name, 1, local, 1, (ctypes.c_size_t * 2)(0, 1), 1, 0)


def executable_later() -> None:
    place = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(place))
    call("mprotect", ctypes.c_void_p(address), 4096, mmap.PROT_READ | mmap.PROT_EXEC)


def set_user_id_file() -> None:
    path = f"/tmp/set-user-id.{os.getpid()}"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o755))
    os.chmod(path, 0o4755)


def connect(path: str) -> Attempt:
    return lambda: socket.socket(socket.AF_UNIX).connect(path)


def by_handle() -> None:
    """A file by its number, past all mounts: what CAP_DAC_READ_SEARCH is known for."""
    call("open_by_handle_at", os.open("/", os.O_RDONLY), ctypes.create_string_buffer(136), 0)


_NO_PLACE = b"/no/such/place"
_ZEROS = ctypes.create_string_buffer(512)
_BAD_TIME = (ctypes.c_long * 2)(0, -1)
_NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "process": 0x20000000,
    "network": 0x40000000,
    "IPC": 0x08000000,
    "cgroup": 0x02000000,
}
# Where nobody but root may write, and the sandbox's mounts permit nobody to.
_CLOSED_FOLDERS = (
    *("/etc", "/usr/bin", "/var/lib/amazon", "/var/log", "/home", "/root", "/boot", "/opt"),
    *("/run", "/run/systemd/system", "/etc/systemd/system", "/dev/shm"),
)
_READS = "for the agent's log and state; it reads any file, and changes none"
_ROOT = "uid 0 that sees other processes is not held by mounts: see SECURITY.md"
DOORS = (
    # --- files
    *(Door(f"create a file in {p}", create(f"{p}/door"), "EROFS") for p in _CLOSED_FOLDERS),
    Door("create in its state folder", create("/var/lib/agentcheck/door"), OPEN, "EACCES", "its"),
    Door("create in /etc/agentcheck", create("/etc/agentcheck/door"), "EACCES", "EROFS"),
    Door("create in /dev", create("/dev/door"), "EROFS", OPEN, "no PrivateDevices: the console"),
    Door("create in /tmp", create("/tmp/door"), OPEN, OPEN, "its own /tmp, gone with it"),
    Door("change root's file", change(SECRET), "EACCES", "EROFS"),
    Door("read root's file", read(SECRET), OPEN, OPEN, _READS),
    Door("read in a home", read("/root/door"), "ENOENT"),
    Door("change it past the mounts", change(f"/proc/1/root{SECRET}"), "EACCES", OPEN, _ROOT),
    Door("read in a home past the mounts", read("/proc/1/root/root/door"), OPEN, OPEN, _READS),
    Door("make a set-user-ID file", set_user_id_file, "EPERM"),
    Door("chown", calls("chown", b"/tmp", 0, 0), "EPERM"),
    Door("a device node", calls("mknod", b"/tmp/device", 0o20600, 0x101), "EPERM"),
    Door("a file by its handle", by_handle, "EPERM"),
    # --- the kernel and its settings
    Door("kernel.core_pattern", change("/proc/sys/kernel/core_pattern"), "EACCES", "EROFS"),
    Door("net.ipv4.ip_forward", change("/proc/sys/net/ipv4/ip_forward"), "EACCES", "EROFS"),
    Door("control groups", change("/sys/fs/cgroup/cgroup.procs"), "EACCES", "EROFS"),
    Door("load a module", calls("init_module", NULL, 0, b""), "EPERM"),
    Door("load a module's file", calls(by_number(313, 273), 0, b"", 0), "EPERM"),
    Door("unload a module", calls("delete_module", b"no_such_module", 0), "EPERM"),
    Door("another kernel", calls(by_number(246, 104), 0, 17, NULL, 0), "EPERM"),
    Door("the kernel's log", calls("klogctl", 10, NULL, 0), "EPERM"),
    Door("bpf", calls(by_number(321, 280), 0, NULL, 0), "EPERM"),
    Door("perf_event_open", calls(by_number(298, 241), NULL, 0, -1, -1, 0), "EPERM"),
    Door("add_key", calls(by_number(248, 217), b"user", b"x", b"x", 1, -2), "EPERM"),
    Door("keyctl", calls(by_number(250, 219), 0, -2, 0), "EPERM"),
    Door("io_uring", calls(425, 1, _ZEROS), "EPERM"),
    Door("userfaultfd", calls(by_number(323, 282), 1), "EPERM"),
    Door("personality", calls("personality", 0x0400000), "EPERM"),
    Door("fanotify", calls("fanotify_init", 0, 0), "EPERM"),
    Door("accounting", calls("acct", NULL), "EPERM"),
    Door("reboot", calls("reboot", 0x12345678), "EPERM"),
    Door("swapon", calls("swapon", _NO_PLACE, 0), "EPERM"),
    Door("set the clock", calls(by_number(227, 112), 0, _BAD_TIME), "EPERM"),
    Door("tune the clock", calls("adjtimex", _ZEROS), "EPERM"),
    Door("host name", calls("sethostname", b"x", -1), "EPERM"),
    # --- mounts and namespaces
    Door("mount", calls("mount", b"x", _NO_PLACE, b"tmpfs", 0, NULL), "EPERM"),
    Door("unmount", calls("umount2", _NO_PLACE, 0), "EPERM"),
    Door("remount", calls("mount", NULL, _NO_PLACE, NULL, 32, NULL), "EPERM"),
    Door("open_tree", calls(428, -100, _NO_PLACE, 1), "EPERM"),
    Door("fsopen", calls(430, b"tmpfs", 0), "EPERM"),
    Door("chroot", calls("chroot", b"/tmp"), "EPERM"),
    *(Door(f"a {k} namespace", calls("unshare", v), "EPERM") for k, v in _NAMESPACES.items()),
    Door(
        "the mounts of process 1", lambda: call("setns", os.open("/proc/1/ns/mnt", 0), 0), "EPERM"
    ),
    # --- other processes
    Door("trace process 1", calls("ptrace", 0x4206, 1, NULL, NULL), "EPERM"),
    Door("process_vm_readv", lambda: memory_call("process_vm_readv"), "EPERM"),
    Door("process_vm_writev", lambda: memory_call("process_vm_writev"), "EPERM"),
    Door("take a descriptor", lambda: call(438, os.pidfd_open(1), 0, 0), "EPERM"),
    Door("write memory through /proc", lambda: memory(os.O_RDWR), "EACCES", "EROFS"),
    Door("read memory through /proc", lambda: memory(0), OPEN, OPEN, "as environ, by its rights"),
    Door("oom_score_adj of process 1", change("/proc/1/oom_score_adj"), "EACCES", "EROFS"),
    Door("environment of process 1", read("/proc/1/environ"), OPEN, OPEN, "so the agent's"),
    Door("signal process 1", lambda: os.kill(1, 0), "EPERM", OPEN, _ROOT),
    Door("orders to systemd", connect("/run/systemd/private"), "EACCES", OPEN, _ROOT),
    # --- who it is, and what it may use
    Door("setuid", calls("setuid", 1), "EPERM"),
    Door("setresuid to root", calls("setresuid", 0, 0, 0), "EPERM"),
    Door("setgid", calls("setgid", 1), "EPERM"),
    Door("setgroups", calls("setgroups", 0, NULL), "EPERM"),
    Door("capset", calls("capset", NULL, NULL), "EPERM"),
    Door("realtime", lambda: os.sched_setscheduler(0, 1, os.sched_param(1)), "EPERM"),
    Door("better priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5), "EPERM"),
    Door("writable code", lambda: mmap.mmap(-1, 4096, prot=7), "EPERM"),
    Door("data made code", executable_later, "EPERM"),
    # --- sockets and what processes share
    Door("a raw socket", opened(socket.AF_INET, socket.SOCK_RAW, 1), "EPERM"),
    Door("a packet socket", opened(socket.AF_PACKET, socket.SOCK_RAW, 0x300), "EAFNOSUPPORT"),
    Door("netlink", opened(socket.AF_NETLINK, socket.SOCK_RAW), "EAFNOSUPPORT"),
    Door("vsock", opened(40, socket.SOCK_STREAM), "EAFNOSUPPORT"),
    Door("a port below 1024", lambda: socket.socket().bind(("127.0.0.1", 81)), "EACCES"),
    Door("shared memory", calls("shmget", 0, 4096, 0o1600), "EPERM"),
    Door("a message queue", calls("msgget", 0, 0o1600), "EPERM"),
    Door("semaphores", calls("semget", 0, 1, 0o1600), "EPERM"),
    Door("a POSIX queue", calls(by_number(240, 180), b"door", 0o102, 0o600, NULL), "EPERM"),
    # --- devices
    Door("the console", change("/dev/console"), "ENOENT", OPEN, "what the boot run is for"),
    Door("/dev/mem", read("/dev/mem"), "ENOENT", "EPERM"),
    Door("/dev/kmsg", change("/dev/kmsg"), "ENOENT", "EACCES"),
)


def tried(attempt: Attempt) -> str:
    """In a process of its own: "open", an errno's name, or else what became of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        try:
            attempt()
            said = OPEN
        except (Failed, OSError) as error:
            said = errno.errorcode.get(error.args[0], repr(error))
        except BaseException as error:  # noqa: BLE001 - it is what became of it
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as file:
        return file.read() or "killed"


def main() -> None:
    results = {door.what: tried(door.attempt) for door in DOORS}
    results["core size"] = str(resource.getrlimit(resource.RLIMIT_CORE)[1])
    sys.stdout.write(json.dumps(results) + "\n")
    sys.stdout.flush()
    place = os.environ.get("NOTIFY_SOCKET", "")
    if place:
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as made:
            made.connect(f"\0{place[1:]}" if place[0] == "@" else place)
            made.send(b"READY=1")
        signal.pause()


if __name__ == "__main__":
    main()
