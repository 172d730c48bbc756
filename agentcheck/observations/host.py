"""This host, its metadata service and its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Machine:
    """DMI and the rights of this process. `is_ec2` is None when DMI cannot be read."""

    is_ec2: Optional[bool]
    vendor: str = ""
    uid: int = 0
    booted_systemd: bool = False


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
    silent, refused), not-genuine (an answer that no IMDS gives), error (429 or 5xx).
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
