"""One round: what a check may ask, and everything that was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional, Protocol

from agentcheck.observations.agent import Agent, Channel
from agentcheck.observations.agent_log import AgentLog
from agentcheck.observations.host import Imds, Instance, Machine, Role, Volume
from agentcheck.observations.image import Image
from agentcheck.observations.network import Comparison, Endpoint, Name, Path, TrustStore, Tunnel
from agentcheck.observations.permission import Permission

UNSEEN = Channel(None)


@dataclass(frozen=True)
class Policy:
    """The settings that judge, not probe; `profile` is instance or image.

    `signed_call`: always, never, rarely (the last answer is good for a while) or renew.
    """

    require_private: str = "auto"
    ec2messages_retirement: str = "2026-09-30"
    on_ec2: str = "auto"
    signed_call: str = "always"
    profile: str = "instance"


class Facts(Protocol):
    """What a check may ask. Each answer is probed once a round, at the first question."""

    policy: Policy

    def machine(self) -> Machine: ...
    def imds(self) -> Imds: ...
    def role(self) -> Role: ...
    def agent(self) -> Agent: ...
    def agent_log(self) -> AgentLog: ...
    def disk(self) -> Sequence[Volume]: ...
    def channel(self) -> Channel: ...
    def permission(self) -> Permission: ...
    def image(self) -> Image: ...
    def endpoint(self, service: str) -> Optional[Endpoint]: ...
    def name(self, service: str) -> Name: ...
    def path(self, service: str) -> Path: ...
    def comparison(self, service: str) -> Optional[Comparison]: ...
    def services(self) -> Sequence[str]: ...
    def usable(self, service: str) -> bool: ...
    def proxy(self, service: str) -> Optional[str]: ...
    def tunnel(self, service: str) -> Tunnel: ...
    def clock_offsets(self) -> Mapping[str, float]: ...
    def now(self) -> float: ...


@dataclass(frozen=True)
class Observed:
    """Everything one round saw, frozen: what the diagnosis and the report are made from.

    `services` are those that the agent needs or the configuration asks for, None when that is not
    known. `clock_offsets` maps a source ("imds" or a service) to its clock minus ours;
    `comparisons` what the VPC's own resolver said of a service's name, where that was asked;
    `trust_stores` the CA certificates for each service; `proxies` the proxy, without its secrets,
    of each service that the agent takes one for, `tunnels` what was met on the way through it;
    `unanswered` and `failed` are the ids of checks that ended in error or failed, to what they
    said.
    """

    now: float
    policy: Policy = field(default_factory=Policy)
    machine: Optional[Machine] = None
    imds: Optional[Imds] = None
    role: Optional[Role] = None
    agent: Optional[Agent] = None
    agent_log: Optional[AgentLog] = None
    disk: Sequence[Volume] = ()
    channel: Channel = UNSEEN
    permission: Optional[Permission] = None
    image: Optional[Image] = None
    services: Optional[Sequence[str]] = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    paths: Mapping[str, Path] = field(default_factory=dict)
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    tunnels: Mapping[str, Tunnel] = field(default_factory=dict)
    trust_stores: Mapping[str, TrustStore] = field(default_factory=dict)
    clock_offsets: Mapping[str, float] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def connected(self) -> Optional[bool]:
        """Whether the agent's channel is proven (True), disproven (False) or not known (None)."""
        return self.channel.connected

    @property
    def instance(self) -> Instance:
        """What IMDS says; where it is silent, at least the id that DMI gives."""
        known = self.imds.instance if self.imds else Instance()
        if not known.instance_id and self.machine is not None:
            return replace(known, instance_id=self.machine.instance_id)
        return known
