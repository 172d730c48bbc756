"""No parser of foreign text takes the square of its length: a regular expression holds the GIL, and
then not even the round's deadline could end it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agentcheck import hosts, proxy, settings
from agentcheck.files import parse_json
from agentcheck.model import AgentcheckError
from agentcheck.observations import parse_version
from agentcheck.observations.permission import policy_in, role_in
from agentcheck.probes import (
    agent_log,
    agent_package,
    agent_sockets,
    agent_unit,
    image,
    nameservers,
    trust_store,
    unit_environment,
)
from agentcheck.probes.agent_log_errors import kind_of, shown

SIZE = 32 << 10
# Of processor time. The square of the size takes ten times as long, what is linear a thousandth.
LIMIT_S = 2.0
STAMP = "2026-11-25 03:00:00 ERROR "
PIECES = (
    "a", "0", " ", "\n", "\t", '"', "\\", '\\"', "@", "a@", ":", "/", ".", "a.", "a-", "0.", "=",
    "[", "[a] ", "a ", "a b\n", "http://", "token=", "lookup ", ": lookup a", "dial tcp ",
    "Authorization:", "AKIA", "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----",
    "Package: amazon-ssm-agent\n", "version:\n", "Environment=", "\\\n", "aws_secret_access_key ",
    "nameserver\t", STAMP, '{"a":', "\u00e9", "\x1b[",
)  # fmt: skip
HEADS = ("", "a://", STAMP)
# What leads into the heart of a format.
MORE = {"unit": "[Service]\nEnvironment=", "settings": "[run]\na", "json": "[", "shown": '"'}


def parsers(place: Path) -> dict[str, Callable[[str], object]]:
    """By name; what reads a file reads it at `place`."""

    def of_file(read: Callable[[Path], object]) -> Callable[[str], object]:
        def call(text: str) -> object:
            place.write_text(text)
            return read(place)

        return call

    agent_package.DPKG_STATUS = nameservers.CONFIG = nameservers.HOSTS = place
    (place.parent / "meta").mkdir()
    (place.parent / "meta" / "snap.yaml").symlink_to(place)
    units = place.parent / "etc/systemd/system/x.service.d"
    units.mkdir(parents=True)
    (units / "x.conf").symlink_to(place)

    def load_settings(path: Path) -> object:
        try:
            return settings.load(path)
        except AgentcheckError:
            return None

    def json_of(text: str) -> object:
        try:
            return parse_json(text)
        except (ValueError, RecursionError):
            return None

    return {
        "hosts": lambda text: (hosts.split_host(text), hosts.without_secrets(text)),
        "proxy": lambda text: (proxy.parse(text), proxy.shown(text)),
        "no_proxy": lambda text: proxy.proxy_for("h", 1, {"https_proxy": "p", "no_proxy": text}),
        "shown": shown,
        "kind": kind_of,
        "policy": lambda text: (policy_in(text), role_in(text)),
        "version": parse_version,
        "json": json_of,
        "log": lambda text: agent_log.read_lines(text.encode(), agent_log.zone_of(), time.time()),
        "systemctl": lambda text: agent_unit.parse("x", text),
        "row": agent_sockets.parse_row,
        "certificates": lambda text: list(trust_store._blocks(text.encode())),
        "dpkg": of_file(lambda _: agent_package._dpkg_version()),
        "snap": of_file(lambda path: agent_package.of_snap(path.parent / "none")),
        "resolv.conf": of_file(lambda _: nameservers.configured()),
        "hosts file": of_file(lambda _: nameservers.pinned("a")),
        "keys": of_file(image._holds_a_key),
        "unit": of_file(lambda path: unit_environment.read("x.service", path.parent)),
        "settings": of_file(load_settings),
    }


def main(place: Path) -> None:
    """Prints what it is about to do: what comes last is what hangs."""
    for name, parse in parsers(place).items():
        for head in (*HEADS, *([MORE[name]] if name in MORE else [])):
            for piece in PIECES:
                print(f"{name}: {head!r} and then {piece!r}", flush=True)
                text = head + piece * (SIZE // len(piece)) + "\0"
                begun = time.process_time()
                parse(text)
                if time.process_time() - begun > LIMIT_S:
                    sys.exit(1)


def test_no_parser_takes_the_square_of_the_length_of_a_text(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.test_no_square", str(tmp_path / "text")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (100, 100)),
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, (done.stdout.splitlines() or [""])[-1] + done.stderr[-1000:]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)
