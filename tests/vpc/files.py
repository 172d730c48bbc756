"""The texts of the instance's root file system: configuration, state, DMI data and trust."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from tests.vpc import units
from tests.vpc.scenario import INSTANCE_ID, Agent, Scenario, Text, log_time

PRIVATE_FOLDERS = ("var/log/amazon/ssm", "var/lib/amazon/ssm", "root")
PRIVATE_FILES = {
    "var/lib/amazon/ssm/registration": 0o600,
    "var/lib/amazon/ssm/runtimeconfig/identity_config.json": 0o600,
    "sys/devices/virtual/dmi/id/product_uuid": 0o400,
    "sys/devices/virtual/dmi/id/product_serial": 0o400,
}
_SERIAL = "ec2f3a9e-1b2c-4d5e-8f90-a1b2c3d4e5f6"
_DMI = {
    "ec2": {
        "sys_vendor": "Amazon EC2",
        "bios_vendor": "Amazon EC2",
        "bios_version": "1.0",
        "board_vendor": "Amazon EC2",
        "board_asset_tag": INSTANCE_ID,
        "chassis_vendor": "Amazon EC2",
        "chassis_asset_tag": "Amazon EC2",
        "product_name": "m7g.large",
        "product_uuid": _SERIAL,
        "product_serial": _SERIAL,
    },
    "qemu": {
        "sys_vendor": "QEMU",
        "bios_vendor": "SeaBIOS",
        "bios_version": "1.16.2-debian-1.16.2-1",
        "chassis_vendor": "QEMU",
        "product_name": "Standard PC (Q35 + ICH9, 2009)",
        "product_uuid": "7d0a9f3e-1b2c-4d5e-8f90-a1b2c3d4e5f6",
    },
}
_OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
ID=debian
"""
_PACKAGE = """\
Package: amazon-ssm-agent
Status: install ok installed
Priority: extra
Section: devel
Maintainer: Amazon.com, Inc. <ec2-ssm-feedback@amazon.com>
Architecture: amd64
Version: {version}
Description: Amazon SSM Agent for managing EC2 Instances using SSM APIs.

"""
_LOG = """\
{0} INFO [amazon-ssm-agent] amazon-ssm-agent - v{1}
{0} INFO [amazon-ssm-agent] OS: linux, Arch: amd64
{0} INFO Agent will take identity from EC2
"""


def contents(scenario: Scenario, certificates: Path) -> dict[str, Text]:
    """Path (without the first slash) to text; `files` of the scenario have the last word."""
    found: dict[str, Optional[Text]] = {
        **_etc(scenario),
        **_trust(scenario, certificates),
        **_agent(scenario.agent),
        **units.texts(scenario),
        **_dmi(scenario),
        **{path.lstrip("/"): text for path, text in scenario.files.items()},
    }
    return {path: text for path, text in found.items() if text is not None}


def _etc(scenario: Scenario) -> dict[str, Text]:
    found: dict[str, Text] = {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n",
        "etc/group": "root:x:0:\nnogroup:x:65534:\n",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n{scenario.hosts}",
        "etc/hostname": f"{scenario.hostname}\n",
        "etc/machine-id": "ec2a0b1c2d3e4f5061728394a5b6c7d8\n",
        "etc/os-release": _OS_RELEASE,
        "etc/resolv.conf": scenario.resolv_conf,
        "dev/console": "",
        "dev/ttyS0": "",
    }
    # How this machine finds its libraries and configures its cryptography is part of its programs.
    for path in ("etc/ld.so.cache", "etc/ld.so.conf", "etc/ssl/openssl.cnf"):
        try:
            found[path] = Path("/", path).read_bytes()
        except OSError:
            pass
    return found


def _trust(scenario: Scenario, certificates: Path) -> dict[str, Text]:
    """The system store as Debian and as Red Hat keep it, and by hash for OpenSSL's lookups."""
    if scenario.trust == "empty":
        return {"etc/ssl/certs/ca-certificates.crt": "", "etc/pki/tls/cert.pem": ""}
    authority = (certificates / f"{scenario.trust}.crt").read_text()
    digest = (certificates / f"{scenario.trust}.hash").read_text()
    return {
        "etc/ssl/certs/ca-certificates.crt": authority,
        "etc/pki/tls/cert.pem": authority,
        f"etc/ssl/certs/{digest}.0": authority,
    }


def _agent(agent: Agent) -> dict[str, Text]:
    found: dict[str, Text] = {"var/lib/dpkg/status": ""}
    if agent.registration is not None:
        found["var/lib/amazon/ssm/registration"] = agent.registration
    if agent.installed == "none":
        return found
    if agent.installed in ("deb", "both") and agent.package_version is not None:
        found["var/lib/dpkg/status"] = _PACKAGE.format(version=agent.package_version)
        found["var/lib/dpkg/info/amazon-ssm-agent.list"] = (
            "/.\n/usr\n/usr/bin\n/usr/bin/amazon-ssm-agent\n/usr/bin/ssm-agent-worker\n"
        )
    if agent.config is not None:
        found["etc/amazon/ssm/amazon-ssm-agent.json"] = agent.config
    if agent.identity_config is not None:
        found["var/lib/amazon/ssm/runtimeconfig/identity_config.json"] = agent.identity_config
    usual = _LOG.format(log_time(-agent.age), agent.running_version or agent.version)
    found["var/log/amazon/ssm/amazon-ssm-agent.log"] = usual if agent.log is None else agent.log
    return found


def _dmi(scenario: Scenario) -> dict[str, Text]:
    folder = "sys/devices/virtual/dmi/id"
    return {f"{folder}/{name}": text + "\n" for name, text in _DMI[scenario.dmi].items()}
