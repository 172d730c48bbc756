"""The Debian package on machines that systemd has booted: installed, used, upgraded, purged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentcheck.daemon.journal import MESSAGE_IDS
from tests.booted import Machine, layer
from tests.reports import parse
from tests.vpc import Vpc, host
from tests.vpc.scenario import Text

pytestmark = pytest.mark.booted

UNIT = "agentcheck.service"
RELEASES = ("bookworm", "trixie")
BUILD = str(host.ROOT / "packaging/build")
FIRST, SECOND = "0.0.1", "0.0.2"
# Else the first round comes when crc32 of the instance's id says.
AT_ONCE = "[Service]\nEnvironment=AGENTCHECK_DAEMON_JITTER=0%\n"
QUICK = {f"/etc/systemd/system/{UNIT}.d/quick.conf": AT_ONCE}
CHANGED = "[daemon]\ninterval = 4s\nboot_grace = 1s\n"
# The words are all that may be left: the user, which stays, and what names it or the machine.
TRACES = """\
find / -xdev -not -path '/proc/*' -not -path '/sys/*' -iname '*agentcheck*' -print
find /etc /var/lib /usr/lib /usr/share -xdev -type f -not -name status-old \
    -exec grep -lsi agentcheck {} +
"""


@dataclass(frozen=True)
class Rpm:
    """What is in an .rpm."""

    root: Path
    post: str
    preun: str
    postun: str


def build(what: str, folder: Path, *options: str) -> str:
    """The path of what was made."""
    command = [sys.executable, BUILD, what, "--output", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two versions of the .deb."""
    folder = tmp_path_factory.mktemp("packages")
    return {
        version: Path(build("deb", folder, "--version", version)).read_bytes()
        for version in (FIRST, SECOND)
    }


@pytest.fixture
def bare(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, built: dict[str, bytes]
) -> Iterator[Machine]:
    """A machine of the release without the product; the packages lie in /root."""
    monkeypatch.setattr(layer, "_product", lambda *_: None)
    files = {**QUICK, **{f"/root/{version}.deb": raw for version, raw in built.items()}}
    with Vpc("healthy") as vpc, Machine(vpc, files, release=request.param) as machine:
        yield machine


on_both = pytest.mark.parametrize("bare", RELEASES, indirect=True)


def install(machine: Machine, version: str) -> None:
    """As apt does it for who asks no questions: a changed configuration stays."""
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["dpkg", "--force-confdef", "--force-confold", "--install", f"/root/{version}.deb"]
    done = machine.run(command, env=environment, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "arning" not in done.stdout + done.stderr
    if machine.run(["systemctl", "is-enabled", UNIT]).stdout == "enabled\n":
        eventually_active(machine)


def state(machine: Machine) -> str:
    return machine.run(["systemctl", "is-active", UNIT]).stdout.strip()


def eventually(happens: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def eventually_active(machine: Machine) -> None:
    eventually(lambda: state(machine) == "active")


def history(machine: Machine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(machine.read("/var/lib/agentcheck/history.json"))
    return found


@on_both
def test_installed_it_runs_at_once_and_after_a_boot(bare: Machine) -> None:
    assert bare.run(["sh", "-c", "command -v agentcheck"]).stdout == ""
    install(bare, FIRST)
    assert bare.check("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", "agentcheck") == "ii "
    assert bare.check("dpkg", "--verify", "agentcheck") == ""
    assert bare.check("agentcheck", "--version") == f"agentcheck {FIRST}\n"
    assert state(bare) == "active"
    assert bare.check("systemctl", "is-enabled", UNIT) == "enabled\n"
    report = parse(bare.run(["agentcheck", "run", "--format", "json"], timeout=30))
    assert (report["verdict"]["code"], report["notes"]) == ("healthy", [])
    assert parse(bare.run(["agentcheck", "status", "--format", "json"]))["status"] == "ok"
    catalogue = bare.check("journalctl", "--no-pager", "--dump-catalog", MESSAGE_IDS["verdict"])
    assert "Rounds of checks agree" in catalogue
    bare.reboot()
    eventually_active(bare)
    eventually(lambda: "SUMMARY status=ok verdict=healthy" in bare.console)  # the boot run
    said = bare.check("journalctl", "-b", "--no-pager", "-u", "agentcheck-boot.service")
    assert "OK healthy" in said
    assert bare.show(UNIT, "NRestarts")["NRestarts"] == "0"
    assert bare.systemctl("--failed", "--no-legend", "--plain") == ""


@on_both
def test_the_service_runs_isolated_and_byte_compiled(bare: Machine) -> None:
    install(bare, FIRST)
    daemon = bare.pid_of(UNIT).inside
    command = bare.read(f"/proc/{daemon}/cmdline").split("\0")
    assert command[:2] == ["/usr/bin/python3", "-I"]
    assert command[2] == "/usr/lib/agentcheck/agentcheck/daemon/__main__.py"
    sources = bare.check("find", "/usr/lib/agentcheck", "-name", "*.py").splitlines()
    caches = bare.check("find", "/usr/lib/agentcheck", "-name", "*.pyc").splitlines()
    assert len(sources) == len(caches) > 100
    owners = bare.check("find", "/usr/lib/agentcheck", "/etc/agentcheck", "-printf", "%u:%g %m\n")
    assert set(owners.splitlines()) == {"root:root 755", "root:root 644"}


@on_both
def test_neither_the_working_directory_nor_the_environment_brings_code_in(bare: Machine) -> None:
    install(bare, FIRST)
    for name in ("agentcheck", "requests", "json", "argparse", "sitecustomize"):
        bare.put(f"/tmp/trap/{name}.py", "import os; os.write(2, b'caught'); os._exit(9)\n")
    script = "cd /tmp/trap && PYTHONPATH=/tmp/trap PYTHONSTARTUP=/tmp/trap/json.py agentcheck list"
    done = bare.run(["sh", "-c", script])
    assert (done.returncode, done.stderr) == (0, "")


@on_both
def test_an_upgrade_keeps_configuration_and_history_and_restarts(bare: Machine) -> None:
    install(bare, FIRST)
    bare.put("/etc/agentcheck/agentcheck.conf", CHANGED)
    bare.put("/etc/agentcheck/agentcheck.conf.d/site.conf", "[daemon]\nconfirm = 1\n")
    bare.systemctl("restart", UNIT)
    before = history(bare)
    assert before
    daemon = bare.pid_of(UNIT).inside
    install(bare, SECOND)
    assert bare.check("agentcheck", "--version") == f"agentcheck {SECOND}\n"
    assert state(bare) == "active"
    assert bare.pid_of(UNIT).inside != daemon
    report = parse(bare.run(["agentcheck", "status", "--format", "json"]))
    assert report["agentcheck_version"] == SECOND
    assert bare.read("/etc/agentcheck/agentcheck.conf") == CHANGED
    config = json.loads(bare.check("agentcheck", "config", "--format", "json"))
    assert "4s" in json.dumps(config)
    assert history(bare)[-1] == before[-1]


@on_both
def test_what_an_administrator_has_disabled_stays_disabled(bare: Machine) -> None:
    install(bare, FIRST)
    bare.systemctl("disable", "--now", UNIT)
    install(bare, SECOND)
    assert bare.run(["systemctl", "is-enabled", UNIT]).stdout == "disabled\n"
    assert state(bare) == "inactive"


@on_both
def test_removed_it_has_stopped_and_purged_nothing_is_left(bare: Machine) -> None:
    install(bare, FIRST)
    install(bare, SECOND)
    bare.put("/etc/agentcheck/agentcheck.conf", CHANGED)
    bare.put("/etc/agentcheck/agentcheck.conf.d/site.conf", "[daemon]\nconfirm = 1\n")
    for path in (host.ROOT / "systemd").glob("*.service"):
        bare.systemctl("enable", path.name)
    bare.check("dpkg", "--remove", "agentcheck")
    assert state(bare) == "inactive"
    assert bare.read("/etc/agentcheck/agentcheck.conf") == CHANGED
    assert bare.run(["test", "-e", "/usr/lib/agentcheck"]).returncode == 1
    done = bare.run(["dpkg", "--purge", "agentcheck"])
    assert done.returncode == 0, done.stderr
    assert "not empty" not in done.stdout + done.stderr
    bare.check("rm", "-r", f"/etc/systemd/system/{UNIT}.d")
    left = set(bare.run(["sh", "-c", TRACES]).stdout.split())
    assert left <= {
        *("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"),
        *("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-"),
    }, left
    assert bare.systemctl("--failed", "--no-legend", "--plain") == ""


@pytest.fixture(scope="module")
def rpm(tmp_path_factory: pytest.TempPathFactory) -> Rpm:
    for program in ("rpm", "rpm2cpio", "cpio"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("rpm")
    path = build("rpm", folder)
    archive = subprocess.run(["rpm2cpio", path], stdout=subprocess.PIPE, check=True).stdout
    root = folder / "root"
    root.mkdir()
    subprocess.run(["cpio", "-idm", "--quiet"], cwd=root, input=archive, check=True)
    # Its own dnspython is the one floor that bullseye is below.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    packages = root / "usr/lib/python3/dist-packages"
    subprocess.run([*pip, "--target", str(folder / "dns"), "dnspython==2.1.0"], check=True)
    packages.mkdir(parents=True)
    (folder / "dns/dns").rename(packages / "dns")
    asked = "%{POSTIN}\1%{PREUN}\1%{POSTUN}"
    told = subprocess.run(["rpm", "-qp", "--qf", asked, path], stdout=subprocess.PIPE, check=True)
    return Rpm(root, *told.stdout.decode().split("\1"))


def test_the_rpm_is_at_home_on_python_39_at_amazon_linux_2023s_versions(
    monkeypatch: pytest.MonkeyPatch, rpm: Rpm
) -> None:
    """Not installed by rpm, but all that rpm does: its files, then its scripts."""
    monkeypatch.setattr(layer, "_product", lambda *_: None)
    files: dict[str, Text] = {
        **QUICK,
        **{
            f"/{path.relative_to(rpm.root)}": path.read_bytes()
            for path in rpm.root.rglob("*")
            if path.is_file()
        },
    }
    with Vpc("healthy") as vpc, Machine(vpc, files, release="bullseye") as machine:
        machine.check("chmod", "755", "/usr/bin/agentcheck")
        done = machine.run(["sh", "-c", rpm.post, "sh", "1"])
        assert (done.returncode, done.stderr) == (0, "")
        assert machine.check("systemctl", "is-enabled", UNIT) == "enabled\n"
        eventually_active(machine)
        versions = "import sys, requests, psutil, dns.version as d; print(*sys.version_info[:2], "
        versions += "requests.__version__, psutil.__version__, d.version)"
        told = machine.check("python3", "-c", versions)
        assert told == "3 9 2.25.1 5.8.0 2.1.0\n"
        report = parse(machine.run(["agentcheck", "run", "--format", "json"], timeout=30))
        assert (report["verdict"]["code"], report["notes"]) == ("healthy", [])
        assert parse(machine.run(["agentcheck", "status", "--format", "json"]))["status"] == "ok"
        daemon = machine.pid_of(UNIT).inside
        for script, rest in ((rpm.post, "2"), (rpm.preun, "1"), (rpm.postun, "1")):
            assert machine.run(["sh", "-c", script, "sh", rest]).stderr == ""
        eventually(lambda: state(machine) == "active" and machine.pid_of(UNIT).inside != daemon)
        machine.check("sh", "-c", rpm.preun, "sh", "0")
        assert state(machine) == "inactive"
        assert machine.run(["systemctl", "is-enabled", UNIT]).stdout == "disabled\n"
        machine.check("sh", "-c", rpm.postun, "sh", "0")
        for place in ("/usr/lib/agentcheck", "/var/lib/agentcheck", "/run/agentcheck"):
            assert machine.run(["test", "-e", place]).returncode == 1


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return Path(build("pyz", tmp_path_factory.mktemp("pyz"))).read_bytes()


@pytest.mark.parametrize("release", ["bullseye", "bookworm", "trixie"])  # 3.9, 3.11, 3.13
def test_the_single_file_needs_nothing_but_python(
    monkeypatch: pytest.MonkeyPatch, pyz: bytes, release: str
) -> None:
    monkeypatch.setattr(layer, "_product", lambda *_: None)
    path = "/usr/local/bin/agentcheck.pyz"
    with Vpc("healthy") as vpc, Machine(vpc, {path: pyz}, release=release) as machine:
        machine.check("chmod", "755", path)
        machine.check("sh", "-c", "rm -rf /usr/lib/python3/dist-packages/*")
        assert machine.run(["python3", "-c", "import requests"]).returncode == 1
        report = parse(machine.run([path, "run", "--format", "json"], timeout=30))
        assert (report["verdict"]["code"], report["notes"]) == ("healthy", [])
        assert machine.check("stat", "-c", "%U %a", "/var/cache/agentcheck.pyz") == "root 700\n"
        options = [
            *("Type=notify", "User=daemon", "ProtectSystem=strict", "ProtectHome=yes"),
            *("RuntimeDirectory=agentcheck", "StateDirectory=agentcheck"),
            "AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE",
            "Environment=AGENTCHECK_HTTP_LISTEN=127.0.0.1:9257 AGENTCHECK_DAEMON_JITTER=0% "
            "AGENTCHECK_DAEMON_INTERVAL=2s",
        ]
        command = ["systemd-run", "--unit=single", *(f"--property={one}" for one in options)]
        machine.check(*command, path, "daemon")  # returns once its first round is over
        first = json.loads(machine.http(9257, "/status").body)
        assert (first["verdict"]["code"], first["trigger"]) == ("healthy", "timer")
        folder = machine.check("stat", "-c", "%U %a", "/run/agentcheck/agentcheck.pyz")
        assert folder == "daemon 700\n"
        eventually(
            lambda: json.loads(machine.http(9257, "/status").body)["run_id"] != first["run_id"]
        )
        machine.systemctl("stop", "single")
        assert machine.show("single", "Result")["Result"] == "success"
