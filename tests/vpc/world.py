"""The process of the VPC: makes the network and the instance, and is all of the servers.

Process 1 of its own process namespace, which holds that of the instance: when it ends, or whoever
started it goes away, the kernel ends everything in there.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from tests.vpc import instance, linux, network, plan
from tests.vpc.artefacts import LabError


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[2]))
    try:
        _serve(plan.read(Path(sys.argv[1])), control)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the lab must hear of it
        text = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
        control.send(text.encode()[:4000])
    # Threads that hang on purpose must not hold the end up.
    os._exit(1)


def _serve(planned: plan.Plan, control: socket.socket) -> None:
    linux.keep_mounts_private()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    linux.unshare(linux.CLONE_NEWPID)
    process = os.fork()
    if process == 0:
        ours.close()
        control.close()
        instance.become(planned, theirs)
    theirs.close()
    linux.return_to_own_pid_namespace()

    # Imported while the instance builds its root: this takes about as long.
    from tests.vpc.servers import Servers

    # What nobody in the VPC has goes nowhere, silently, as from a subnet without NAT.
    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    if forwarding.read_text().strip() != "0":
        forwarding.write_text("0")
    # Rejections must all arrive, however many rounds meet them at once.
    for place in ("ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"):
        limit = Path("/proc/sys/net", place)
        if os.access(limit, os.W_OK):
            limit.write_text("0")
    _expect(ours, b"apart")
    network.connect(planned.scenario, process)
    servers = Servers(planned, process)
    ours.send(b"go")
    _expect(ours, b"ready")

    paths = [f"/proc/{process}/ns/{name}" for name in plan.INSTANCE_NAMESPACES]
    paths += [f"/proc/self/ns/{name}" for name in plan.VPC_NAMESPACES]
    handed = [os.open(path, os.O_RDONLY) for path in paths]
    socket.send_fds(control, [b"ready"], handed)
    for descriptor in handed:
        os.close(descriptor)

    def on_message(_: socket.socket) -> None:
        if not control.recv(16):
            os._exit(0)
        changed = plan.read(planned.run)
        try:
            network.change(servers.world.scenario, changed.scenario, process)
            servers.change(changed.scenario)
            control.send(b"ready")
        except (LabError, OSError) as error:
            control.send(str(error).encode()[:4000])

    servers.listeners.attend(control, on_message)


def _expect(channel: socket.socket, wanted: bytes) -> None:
    told = channel.recv(4096)
    if told != wanted:
        raise LabError(told.decode() or "the instance's process 1 died")


if __name__ == "__main__":
    main()
