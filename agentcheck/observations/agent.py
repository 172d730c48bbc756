"""amazon-ssm-agent on this host: installs, processes, unit, configuration, sockets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

AGENT_PROGRAM = "amazon-ssm-agent"


class Version(NamedTuple):
    """An agent version: four integers, compared as numbers (3.10.2.0 is newer than 3.3.40.0)."""

    major: int
    minor: int
    build: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))


# From this release on the agent leaves ec2messages once ssmmessages is connected
# (amazon-ssm-agent RELEASENOTES.md, 3.3.40.0).
NO_EC2MESSAGES = Version(3, 3, 40, 0)
# Default Host Management Configuration needs this release (AWS user guide).
DEFAULT_HOST_MANAGEMENT = Version(3, 2, 582, 0)
_VERSION = re.compile(r"(?<![\d.])v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?![\d.])")


def parse_version(text: str) -> Optional[Version]:
    """Reads the first four-part version in a package version, a log line or `-version` output.

    >>> parse_version("3.3.4624.0-1.amzn2023")
    Version(major=3, minor=3, build=4624, patch=0)
    >>> parse_version("unknown") is None
    True
    """
    found = _VERSION.search(text)
    return Version(*map(int, found.groups())) if found else None


@dataclass(frozen=True)
class Install:
    """One installed agent. `package`: deb, rpm, snap or "" (a bare binary)."""

    path: str
    package: str
    version: Optional[Version] = None
    version_text: str = ""
    version_source: str = ""


@dataclass(frozen=True)
class Process:
    """A process of the agent; `deleted` when its program file was replaced under it, `started`
    its start by this host's clock."""

    pid: int
    path: str
    deleted: bool = False
    started: Optional[float] = None

    @property
    def is_main(self) -> bool:
        """The core agent; the others are workers that it starts."""
        return self.path.rsplit("/", 1)[-1] == AGENT_PROGRAM


@dataclass(frozen=True)
class Unit:
    """systemd's view of the agent's unit (systemctl show)."""

    name: str
    load_state: str
    active_state: str
    sub_state: str
    unit_file_state: str
    result: str
    restart: str
    restarts: int
    exit_status: str
    exited_at: str


# States of a unit file with which it does not start at the next boot (systemctl(1), is-enabled);
# what was enabled at run time only is gone then.
NOT_AT_BOOT = ("disabled", "masked", "masked-runtime", "enabled-runtime", "linked-runtime")


@dataclass(frozen=True)
class AgentConfig:
    """amazon-ssm-agent.json. `error` is set when the agent would refuse it.

    `endpoints` maps a service to the host, host:port or URL that the file pins; `region` is
    Agent.Region (signing only), `messages_region` is Mgs.Region (host and signing).
    """

    path: str = ""
    error: str = ""
    unreadable: bool = False
    endpoints: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    messages_region: str = ""
    domain: str = ""


@dataclass(frozen=True)
class AgentIdentity:
    """What the agent keeps about itself in /var/lib/amazon/ssm.

    identity_config.json says which credentials it last used, and until when; `registered_id` is
    that of a registration (`mi-...` for a hybrid one), `former_ids` are instances whose state it
    still holds.
    """

    instance_id: str = ""
    identity_type: str = ""
    credential_source: str = ""
    credentials_expire: Optional[float] = None
    credentials_retrieved: Optional[float] = None
    unreadable: bool = False
    registered_id: str = ""
    former_ids: Sequence[str] = ()


@dataclass(frozen=True)
class Agent:
    """amazon-ssm-agent on this host. `processes_hidden`: there may be some we may not see.

    `environment` holds the proxy and CA variables of its process; a proxy's URL may hold a
    password, so it is never printed as it is. `running_version` is told only where it may differ
    from the installed one; `dangling_snap`: a snap whose `current` leads nowhere.
    """

    installs: Sequence[Install] = ()
    processes: Sequence[Process] = ()
    processes_hidden: bool = False
    unit: Optional[Unit] = None
    config: AgentConfig = field(default_factory=AgentConfig)
    identity: AgentIdentity = field(default_factory=AgentIdentity)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment_hidden: bool = False
    running_version: Optional[Version] = None
    updating: bool = False
    dangling_snap: bool = False

    @property
    def running(self) -> bool:
        return any(process.is_main for process in self.processes)

    @property
    def stopped_reason(self) -> str:
        """Why there is no process: no-unit, disabled, masked, failed, restarting or stopped."""
        unit = self.unit
        if unit is None:
            return "stopped"
        if "masked" in (unit.load_state, *unit.unit_file_state.split("-")):
            return "masked"
        if unit.load_state not in ("loaded", ""):
            return "no-unit"  # not-found, bad-setting, error
        if unit.active_state == "activating" or unit.sub_state == "auto-restart":
            return "restarting"  # auto-restart waits for RestartSec, start-pre and the like start
        if unit.active_state == "failed":
            return "failed"
        return "disabled" if unit.unit_file_state == "disabled" else "stopped"

    def host_management_active(self, now: float, instance_id: str) -> bool:
        """Whether Default Host Management gives the agent credentials that have not ended.

        State that an image brought along from another instance gives it none.
        """
        identity = self.identity
        if identity.instance_id and instance_id and identity.instance_id != instance_id:
            return False
        return (
            identity.credential_source == "SSM"
            and identity.credentials_expire is not None
            and identity.credentials_expire > now
        )

    @property
    def install(self) -> Optional[Install]:
        """The install that runs, else the first one found."""
        for process in self.processes:
            for install in self.installs:
                if install.path == process.path:
                    return install
        return self.installs[0] if self.installs else None

    @property
    def version(self) -> Optional[Version]:
        return self.install.version if self.install else None

    @property
    def acting_version(self) -> Optional[Version]:
        """The version that acts now: of the process, which may be older than what is installed."""
        return self.running_version or self.version

    @property
    def version_is_placeholder(self) -> bool:
        """Builds from source carry x.y.0.0 (3.3.0.0): says nothing of what they can do."""
        version = self.acting_version
        return version is not None and version[2:] == (0, 0)

    @property
    def version_known(self) -> bool:
        return self.acting_version is not None and not self.version_is_placeholder

    @property
    def is_hybrid(self) -> bool:
        """Whether it acts as a managed node `mi-...` instead of as this instance."""
        ids = (self.identity.registered_id, self.identity.instance_id)
        return any(known.startswith("mi-") for known in ids)


@dataclass(frozen=True)
class Socket:
    """A TCP socket of an agent process, from /proc/net/tcp."""

    peer: str
    port: int
    established: bool
    unacknowledged: int
    retransmits: int

    @property
    def alive(self) -> bool:
        """Established is not enough: a black-holed connection stays so for minutes."""
        return self.established and self.unacknowledged == 0 and self.retransmits == 0


@dataclass(frozen=True)
class Channel:
    """The agent's channel to ssmmessages: proven to live (True) or not to (False), else None.

    `by` is what it was told by: "socket" (its own connections), "log" (its own words).
    """

    connected: Optional[bool]
    by: str = ""
