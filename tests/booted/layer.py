"""What a machine has beside its Debian: the agent, the product as a package installs it, the VPC's
names and trust. A folder of plain files, which goes over the tree."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.vpc import agent, artefacts, certificates, files, host, root
from tests.vpc.scenario import Scenario, Text

AGENT_UNIT = "amazon-ssm-agent.service"
# Read anew at each start of the agent.
ORDERS = "/var/lib/misc/orders"
# The system's own units lie there, so this path is the same whether or not /usr is merged.
_UNITS = "usr/lib/systemd/system"
_PACKAGES = "usr/lib/python3/dist-packages"
# sysfs cannot be written to: its folder `class` is seen through one that has `dmi` too.
_CLASS = "usr/lib/machine/class"
_COMMAND_LINE = "usr/lib/machine/cmdline"
_LAB_FILES = ("etc/amazon/", "etc/ssl/certs/", "var/lib/amazon/", "var/log/amazon/")
_LAB_ETC = ("etc/hosts", "etc/hostname", "etc/machine-id", "etc/resolv.conf")
# As amazon-ssm-agent's own package has it, but for where its input comes from.
_AGENT_UNIT = f"""\
[Unit]
Description=amazon-ssm-agent
After=network-online.target

[Service]
Type=simple
WorkingDirectory=/usr/bin/
ExecStart=/usr/bin/amazon-ssm-agent
StandardInput=file:{ORDERS}
KillMode=process
Restart=always
RestartPreventExitStatus=194
RestartSec=90

[Install]
WantedBy=multi-user.target
"""
_MOUNT = """\
[Unit]
DefaultDependencies=no
Before=local-fs.target

[Mount]
Where={}
What={}
Type={}
Options={}
"""
_MOUNTS = {
    "sys-class.mount": _MOUNT.format(
        "/sys/class", "overlay", "overlay", f"ro,lowerdir=/{_CLASS}:/sys/class"
    ),
    "proc-cmdline.mount": _MOUNT.format("/proc/cmdline", f"/{_COMMAND_LINE}", "none", "bind,ro"),
}
_LAUNCHER = """\
#!/bin/sh
exec /usr/bin/python3 -m agentcheck "$@"
"""
# Where a package would put what it brings.
_PLACES = {
    "*.service": _UNITS,
    "*.socket": _UNITS,
    "*.timer": _UNITS,
    "*.path": _UNITS,
    "*.target": _UNITS,
    "*.catalog": "usr/lib/systemd/catalog",
    "*.preset": "usr/lib/systemd/system-preset",
    "sysusers.d/*": "usr/lib/sysusers.d",
    "tmpfiles.d/*": "usr/lib/tmpfiles.d",
}


def write(layer: Path, tree: Path, scenario: Scenario, more: Mapping[str, Text]) -> None:
    """Fills the folder; `more` has the last word."""
    layer.chmod(0o755)
    told = files.contents(scenario, certificates.folder())
    own = {path.lstrip("/") for path in scenario.files}
    for path, text in told.items():
        if path in own or path in _LAB_ETC or path.startswith(_LAB_FILES):
            _put(layer, tree, path, text, files.PRIVATE_FILES.get(path, 0o644))
        elif path.startswith("sys/devices/virtual/dmi/id/"):
            _put(layer, tree, f"{_CLASS}/dmi/id/{Path(path).name}", text)
    _put(layer, tree, _COMMAND_LINE, root._COMMAND_LINE)
    for name, text in _MOUNTS.items():
        _put(layer, tree, f"{_UNITS}/{name}", text)
        _link(layer, tree, f"etc/systemd/system/local-fs.target.wants/{name}", _UNITS)
    # It would ask for a login on the console.
    (layer / "etc/systemd/system/console-getty.service").symlink_to("/dev/null")
    _agent(layer, tree, scenario, str(told.get("var/lib/dpkg/status", "")))
    _product(layer, tree)
    for path, text in more.items():
        _put(layer, tree, path.lstrip("/"), text)


def orders(scenario: Scenario) -> str:
    """What the fake agent reads at its start."""
    descriptor = agent.orders(scenario)
    with os.fdopen(descriptor) as file:
        return file.read()


def _agent(layer: Path, tree: Path, scenario: Scenario, packages: str) -> None:
    told = scenario.agent
    if told.installed == "none":
        return
    if told.installed != "deb":
        raise artefacts.LabError("a booted machine has the agent as a Debian package only")
    program = _program(told.version).read_bytes()
    for name in root.PROGRAMS:
        _put(layer, tree, f"usr/bin/{name}", program, 0o755)
    _put(layer, tree, f"{_UNITS}/{AGENT_UNIT}", _AGENT_UNIT)
    _put(layer, tree, ORDERS.lstrip("/"), orders(scenario), 0o600)
    status = (tree / "var/lib/dpkg/status").read_text() + packages
    _put(layer, tree, "var/lib/dpkg/status", status)
    if told.package_version is not None:
        listed = "".join(f"/usr/bin/{name}\n" for name in root.PROGRAMS)
        listed = f"/.\n/usr\n/usr/bin\n{listed}/{_UNITS}/{AGENT_UNIT}\n"
        _put(layer, tree, "var/lib/dpkg/info/amazon-ssm-agent.list", listed)
    drop_in = "".join(f'Environment="{key}={text}"\n' for key, text in told.environment.items())
    if drop_in:
        path = f"etc/systemd/system/{AGENT_UNIT}.d/override.conf"
        _put(layer, tree, path, f"[Service]\n{drop_in}")
    if told.running:
        _link(layer, tree, f"etc/systemd/system/multi-user.target.wants/{AGENT_UNIT}", _UNITS)
    for folder in files.PRIVATE_FOLDERS:
        if folder.endswith("amazon/ssm"):
            _folder(layer, tree, Path(folder))
            (layer / folder).chmod(0o700)


def _program(version: str) -> Path:
    """The fake agent, linked so that it runs with the C library of whatever release."""
    source = Path(agent.__file__).with_name("agent.c")

    def make(folder: Path) -> None:
        target = str(folder / "agent")
        artefacts.call("cc", "-O1", "-static", f'-DVERSION="{version}"', "-o", target, str(source))

    recipe = f"static {version} {os.uname().machine} {source.read_text()}"
    return artefacts.kept("agent", recipe, make) / "agent"


def _product(layer: Path, tree: Path) -> None:
    """As a package would install it. Units are not enabled: that is for the test."""
    found = importlib.util.find_spec("requests_aws4auth")
    if found is None or found.origin is None:
        raise artefacts.LabError("requests-aws4auth is not installed in this environment")
    _folder(layer, tree, Path(_PACKAGES))
    for source in (host.ROOT / "agentcheck", Path(found.origin).parent):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, layer / _PACKAGES / source.name, ignore=ignored)
    # Older versions of it need this, which not every release has by itself.
    six = importlib.util.find_spec("six")
    if six is not None and six.origin and not (tree / _PACKAGES / "six.py").exists():
        _put(layer, tree, f"{_PACKAGES}/six.py", Path(six.origin).read_bytes())
    _put(layer, tree, "usr/bin/agentcheck", _LAUNCHER, 0o755)
    for pattern, place in _PLACES.items():
        for path in (host.ROOT / "systemd").glob(pattern):
            _put(layer, tree, f"{place}/{path.name}", path.read_bytes())


def _put(layer: Path, tree: Path, name: str, text: Text, mode: int = 0o644) -> None:
    path = layer / name
    _folder(layer, tree, Path(name).parent)
    path.unlink(missing_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)


def _link(layer: Path, tree: Path, name: str, folder: str) -> None:
    _folder(layer, tree, Path(name).parent)
    (layer / name).symlink_to(f"/{folder}/{Path(name).name}")


def _folder(layer: Path, tree: Path, name: Path) -> None:
    """Where both have a folder, that of the layer says what its mode is."""
    for place in (*reversed(name.parents), name):
        if (tree / place).is_symlink():
            raise artefacts.LabError(f"/{place} is a link on the machine: name its target")
        if not (layer / place).is_dir():
            (layer / place).mkdir()
            known = (tree / place).is_dir()
            (layer / place).chmod((tree / place).stat().st_mode & 0o7777 if known else 0o755)
