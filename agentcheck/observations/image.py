"""What can be known of a machine image before its snapshot is taken, without IMDS or network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Image:
    """Files of the image, as its instances will find them.

    `credentials` are the places that hold somebody's AWS keys. `proxies` are the proxy variables
    that the agent's unit sets, without their secrets. `agent_enabled`, `agentcheck_enabled` and
    `cloud_init` are states of unit files: enabled, disabled, masked, absent; None where that is
    not a question (no agent). `clock` are the enabled services that set the clock, `certificates`
    the number of CA certificates in `store`.
    """

    credentials: Sequence[str] = ()
    proxies: Mapping[str, str] = field(default_factory=dict)
    agent_enabled: Optional[str] = None
    agentcheck_enabled: str = "absent"
    cloud_init: str = "absent"
    clock: Sequence[str] = ()
    certificates: int = 0
    store: str = ""
