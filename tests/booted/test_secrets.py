"""No secret in anything that the service writes, says or starts, while it holds and reads them."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.booted import Machine, cgroups
from tests.test_secrets_in_vpc import GOOD_PROXY, LOG, PASSWORD, agent, assert_none, said
from tests.vpc import Vpc
from tests.vpc.scenario import healthy

pytestmark = pytest.mark.booted

UNIT = "agentcheck.service"
PORT = 9257
CONFIG = f"""\
[daemon]
interval = 2s
jitter = 0%
boot_grace = 1s
[run]
signed_call = always
[http]
listen = 127.0.0.1:{PORT}
[state]
textfile = /var/lib/agentcheck/agentcheck.prom
"""
WORLD = replace(
    healthy(),
    # Not registered as a hybrid: then the role's credentials would not be asked for.
    agent=agent(registration=None),
    proxies=(GOOD_PROXY,),
)


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Vpc(WORLD) as vpc, Machine(vpc, {"/etc/agentcheck/agentcheck.conf": CONFIG}) as booted:
        yield booted


def eventually(happens: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


class Watcher(threading.Thread):
    """Reads the command line and environment of all processes of the service, again and again."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(daemon=True)
        self._machine = machine
        self._done = threading.Event()
        self.seen: dict[str, str] = {}

    def run(self) -> None:
        while not self._done.is_set():
            for one in set(cgroups.processes(self._machine.name)):
                try:
                    if UNIT not in Path(f"/proc/{one}/cgroup").read_text():
                        continue
                    for name in ("cmdline", "environ"):
                        text = Path(f"/proc/{one}/{name}").read_text(errors="replace")
                        self.seen[f"{name} {text}"] = text
                except OSError:
                    continue

    def end(self) -> dict[str, str]:
        self._done.set()
        self.join()
        return self.seen


def in_memory(pid: int, wanted: bytes) -> bool:
    """Whether a process holds these bytes in any memory that it may write to."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found is None:
                continue
            start, end = int(found[1], 16), int(found[2], 16)
            try:
                memory.seek(start)
                if wanted in memory.read(end - start):
                    return True
            except OSError:
                continue
    return False


def served(machine: Machine, **part: object) -> bool:
    return any(part.items() <= json.loads(line).items() for line in machine.vpc.served)


def status(machine: Machine) -> str:
    return machine.http(PORT, "/status").body


def test_neither_the_daemon_nor_what_it_writes_says_or_starts_holds_a_secret(
    machine: Machine,
) -> None:
    machine.put(LOG, said(0, 0))  # after the agent's start, else it would be of a former one
    watcher = Watcher(machine)
    watcher.start()
    machine.systemctl("start", UNIT)
    eventually(lambda: served(machine, server="tls", signed=True))
    # Where the proxy repeats the password in what it refuses with.
    machine.update(proxies=(replace(GOOD_PROXY, mode="deny", echo=True),))
    eventually(lambda: served(machine, server="proxy", status=403))
    eventually(lambda: '"proxy-refuses"' in status(machine))
    eventually(lambda: "SUMMARY status=fail" in machine.console)
    seen = watcher.end()

    # There was something to give away, and who looks finds it where it is.
    records = [json.loads(line) for line in machine.vpc.served]
    given = {canary for one in records for canary in one.get("canaries", [])}
    assert {"secret-key", "session-token", "imds-token"} <= given
    assert served(machine, server="proxy", status=200)
    # The files were read: nothing else says so. Their sandbox's mounts keep no time of access.
    report = json.loads(status(machine))
    assert report["agent"]["proxy"] == "http://10.0.0.99:3128"
    assert report["agent"]["endpoint_overrides"] == {"ssm": "https://ssm.us-east-1.amazonaws.com"}
    (log,) = [check for check in report["checks"] if check["id"] == "agent.log"]
    assert "CreateControlChannel failed" in json.dumps(log)
    assert in_memory(machine.pid_of("amazon-ssm-agent").outside, PASSWORD.encode())
    assert any("run\0--format\0json" in text for text in seen)

    daemon = machine.pid_of(UNIT).outside
    for canary in (b"CanarySecretKey", b"CanarySessionToken", b"CanaryImdsToken", b"CanaryProxy"):
        assert not in_memory(daemon, canary), canary
    for what, text in seen.items():
        assert_none(text, what[:200])
    machine.check("journalctl", "--sync")
    script = (
        "cat /run/agentcheck/* /var/lib/agentcheck/*; find /tmp /var/tmp -type f -exec cat {} +"
    )
    outputs = {
        "files": machine.run(["sh", "-c", script]).stdout,
        "journal": machine.check("journalctl", "--output=export", "--all", "--no-pager"),
        "console": machine.console,
        **{
            path: machine.http(PORT, path).body for path in ("/", "/status", "/metrics", "/history")
        },
        **{
            f"{verb} {form}": machine.run(["agentcheck", verb, "--format", form]).stdout
            for verb in ("status", "history", "config")
            for form in ("text", "json")
        },
    }
    for what, text in outputs.items():
        assert what.startswith("config") or "proxy" in text, what
        assert_none(text, what)
