"""The files of a machine image: nothing is asked of IMDS, the network or a running systemd.

An image is often looked at in a chroot. Sources: systemd.unit(5) (how a unit is enabled),
aws-cli and SDK guides (where credentials lie), cloud-init's documentation ("disable").
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from agentcheck.files import entries_of, read_bounded
from agentcheck.observations import Agent, Image
from agentcheck.probes import agent_unit, trust_store, unit_environment
from agentcheck.proxy import shown

UNITS = (
    Path("/etc/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
)
CLOCK_SERVICES = (
    "chronyd.service",
    "chrony.service",
    "systemd-timesyncd.service",
    "ntpd.service",
    "ntp.service",
    "ntpsec.service",
)
AGENTCHECK_UNITS = ("agentcheck.service", "agentcheck-boot.service")
CLOUD_INIT_UNITS = ("cloud-init.service", "cloud-init-main.service", "cloud-init-network.service")
CLOUD_INIT_DISABLED = Path("/etc/cloud/cloud-init.disabled")
# Where the keys of whoever built the image may lie; the agent's own file is that of Default Host
# Management or of a hybrid registration.
_CREDENTIALS = (
    "/root/.aws/credentials",
    "/var/lib/amazon/ssm/credentials",
    "/etc/boto.cfg",
)
_ENVIRONMENTS = ("/etc/environment", "/etc/profile.d/*.sh", "/etc/sysconfig/amazon-ssm-agent")
_KEY = re.compile(rb"aws_secret_access_key\s*=\s*[\"']?[A-Za-z0-9/+=]{16,}", re.I)
MAX_FILE = 1 << 20
MAX_FILES = 100
MAX_HOMES = 100


def probe(agent: Agent) -> Image:
    """Looks at the files. Never raises for what is or is not there."""
    install = agent.install
    snap = install is not None and install.package == "snap"
    unit = agent_unit.SNAP_UNIT if snap else agent_unit.UNIT
    environment = unit_environment.read(unit)
    store = trust_store.load({})[1]
    return Image(
        credentials=tuple(_credentials()),
        proxies={k: shown(v) for k, v in environment.items() if k.lower() in _PROXIES},
        agent_enabled=state(unit) if install is not None else None,
        agentcheck_enabled=_best(state(name) for name in AGENTCHECK_UNITS),
        cloud_init=_cloud_init(),
        clock=tuple(name for name in CLOCK_SERVICES if state(name) == "enabled"),
        certificates=store.certificates,
        store=store.source,
    )


_PROXIES = ("http_proxy", "https_proxy")


def state(unit: str) -> str:
    """enabled (something wants it), disabled, masked or absent, by the unit files alone."""
    fragments = [folder / unit for folder in UNITS if os.path.lexists(folder / unit)]
    if fragments and os.path.realpath(fragments[0]) == "/dev/null":
        return "masked"
    if any(os.path.lexists(link) for folder in UNITS for link in _wants(folder, unit)):
        return "enabled"
    return "disabled" if fragments else "absent"


def _wants(folder: Path, unit: str) -> Iterator[Path]:
    try:
        groups = sorted((*folder.glob("*.wants"), *folder.glob("*.requires")))
    except OSError:
        return
    for group in groups:
        yield group / unit


def _best(states: Iterator[str]) -> str:
    order = ("enabled", "disabled", "masked", "absent")
    return min(states, key=order.index)


def _cloud_init() -> str:
    if CLOUD_INIT_DISABLED.exists():
        return "disabled"
    return _best(state(name) for name in CLOUD_INIT_UNITS)


def _credentials() -> Iterator[str]:
    places = [Path(name) for name in (*_CREDENTIALS, *_homes())]
    for pattern in _ENVIRONMENTS:
        places += sorted(islice(Path("/").glob(pattern.lstrip("/")), MAX_FILES))
    for place in places:
        if _holds_a_key(place):
            yield str(place)


def _homes() -> Sequence[str]:
    try:
        names = entries_of(Path("/home"), MAX_HOMES)
    except OSError:
        return ()
    return tuple(f"/home/{name}/.aws/credentials" for name in names)


def _holds_a_key(path: Path) -> bool:
    try:
        return bool(_KEY.search(read_bounded(path, MAX_FILE)))
    except OSError:
        return False
