"""This host, its metadata service and its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Machine:
    """DMI and the rights of this process. `is_ec2` is None when DMI cannot be read; Nitro's DMI
    names the instance too."""

    is_ec2: Optional[bool]
    vendor: str = ""
    uid: int = 0
    booted_systemd: bool = False
    instance_id: str = ""


@dataclass(frozen=True)
class Instance:
    """What IMDS says of the instance; lists are empty and texts "" where it says nothing."""

    instance_id: str = ""
    region: str = ""
    availability_zone: str = ""
    vpc_id: str = ""
    subnet_id: str = ""
    vpc_cidrs: Sequence[str] = ()
    subnet_cidrs: Sequence[str] = ()
    local_ipv4: str = ""
    public_ipv4: str = ""
    ami_id: str = ""
    instance_type: str = ""
    partition: str = ""
    domain: str = ""
    security_groups: Sequence[str] = ()


@dataclass(frozen=True)
class Imds:
    """The instance metadata service.

    `state`: ok, disabled (403 to the token request), unreachable (`reason` no-route, timeout,
    silent, refused), not-genuine (an answer that no IMDS gives), error (429 or 5xx), not-asked.
    """

    state: str
    reason: Optional[str] = None
    error: str = ""
    instance: Instance = field(default_factory=Instance)
    clock_offset_s: Optional[float] = None
    phases: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Role:
    """The instance profile's role and its credentials document, without its secrets.

    `state`: present, no-profile, no-role (a profile without a role), no-document (the role is
    listed but its document is not there), refused (`code` is not Success), unreadable.
    """

    state: str
    name: str = ""
    code: str = ""
    message: str = ""
    expiration: Optional[float] = None
    last_updated: Optional[float] = None
    access_key_prefix: str = ""
    error: str = ""


# Below this a file system is full for all practical purposes: not even a log line fits.
FULL_BYTES = 65536


@dataclass(frozen=True)
class Volume:
    """The file system under a place where the agent must write. None: not counted or not seen."""

    place: str
    bytes_free: Optional[int] = None
    inodes_free: Optional[int] = None
    read_only: bool = False
    error: str = ""

    @property
    def trouble(self) -> str:
        """read-only, no-bytes, no-inodes, or "" when it can be written."""
        if self.read_only:
            return "read-only"
        if self.bytes_free is not None and self.bytes_free < FULL_BYTES:
            return "no-bytes"
        return "no-inodes" if self.inodes_free == 0 else ""
