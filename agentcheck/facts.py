"""The facts of one round: each is probed once, when a check first asks, and kept.

This is the one place that joins the probes: checks ask it, and `observed()` freezes what was
seen for the diagnosis and the report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Optional

from agentcheck import channel, proxy
from agentcheck.destinations import endpoint_of
from agentcheck.hosts import HTTPS
from agentcheck.observations import (
    CORE_SERVICES,
    EC2MESSAGES,
    NO_EC2MESSAGES,
    SSM,
    SSMMESSAGES,
    Agent,
    AgentLog,
    Channel,
    Comparison,
    Endpoint,
    Image,
    Imds,
    Machine,
    Name,
    Observed,
    Path,
    Permission,
    Policy,
    Role,
    Tunnel,
    Volume,
)
from agentcheck.once import Once
from agentcheck.probes import (
    agent_log,
    agent_sockets,
    disk,
    image,
    imds,
    machine,
    nameservers,
    permission_memory,
    ssm_agent,
    systems_manager,
)
from agentcheck.settings import Settings
from agentcheck.ways import Ways


class RoundFacts:
    """`observations.Facts` on the real world, for one round."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float] = time.time,
        signed_call: str = "always",
        profile: str = "instance",
        answered: Optional[Permission] = None,
    ) -> None:
        """`answered` is a recent answer to the signed call, which then is not made again."""
        self._settings = settings
        self._answered = answered
        self.now = now
        self.policy = Policy(
            require_private=settings["endpoints", "require_private"],
            ec2messages_retirement=settings["endpoints", "ec2messages_retirement"],
            on_ec2=settings["run", "ec2"],
            signed_call=signed_call,
            profile=profile,
        )
        self._machine = Once(machine.probe)
        # The image's builder has an IMDS, which says nothing of the instances to come.
        self._metadata = Once(imds.probe if profile == "instance" else imds.not_asked)
        self._agent = Once(ssm_agent.probe)
        self._log = Once(lambda: agent_log.probe(self.now(), _zone(self.agent().environment)))
        self._disk = Once(disk.probe)
        self._image = Once(lambda: image.probe(self.agent()))
        self._channel = Once(self._judge_channel)
        self._permission = Once(self._ask_permission)
        self._needed = Once(self._needs_ec2messages)
        self._services = Once(self._list_services)
        self._ways = Ways(
            self.endpoint,
            self.agent,
            lambda: self.imds().instance,
            settings["run", "connect_timeout"],
            settings["endpoints", "max_addresses"],
        )

    def machine(self) -> Machine:
        return self._machine.get()

    def imds(self) -> Imds:
        return self._metadata.get().imds

    def role(self) -> Role:
        return self._metadata.get().role or Role("unreadable", error="IMDS did not answer")

    def agent(self) -> Agent:
        return self._agent.get()

    def agent_log(self) -> AgentLog:
        return self._log.get()

    def disk(self) -> Sequence[Volume]:
        return self._disk.get()

    def channel(self) -> Channel:
        """Whether the agent has a live channel to ssmmessages; None when we may not see."""
        return self._channel.get()

    def image(self) -> Image:
        return self._image.get()

    def permission(self) -> Permission:
        """The answer to the one signed call, which is made at the first question."""
        return self._permission.get()

    def services(self) -> Sequence[str]:
        """The services to check, required ones first."""
        return self._services.get()

    def endpoint(self, service: str) -> Optional[Endpoint]:
        """Where the agent goes for `service`; None while the Region is not known."""
        config, instance = self.agent().config, self.imds().instance
        return endpoint_of(service, self._is_required(service), config, instance)

    def name(self, service: str) -> Name:
        return self._ways.names.get(service)

    def path(self, service: str) -> Path:
        return self._ways.paths.get(service)

    def comparison(self, service: str) -> Optional[Comparison]:
        """What the VPC's own resolver says, where our answer does not do; None: not asked."""
        return self._ways.comparisons.get(service)

    def proxy(self, service: str) -> Optional[str]:
        """The proxy that the agent takes for `service`, without its secrets; None: none."""
        found = self._ways.proxy(service)
        return proxy.shown(found) if found else None

    def tunnel(self, service: str) -> Tunnel:
        """The way to a service that has a proxy."""
        return self._ways.tunnels.get(service)

    def usable(self, service: str) -> bool:
        """Whether the agent's way to the service works: through its proxy where it has one."""
        return self._ways.usable(service)

    def answered(self) -> Optional[Permission]:
        """The answer to the signed call, if it was asked for; never waits."""
        return self._permission.peek()

    def clock_offsets(self) -> Mapping[str, float]:
        """Clocks of others, minus ours, by source; only what was looked at already."""
        offsets = {}
        metadata = self._metadata.peek()
        if metadata and metadata.imds.clock_offset_s is not None:
            offsets["imds"] = metadata.imds.clock_offset_s
        offsets.update(self._ways.clock_offsets())
        asked = self._permission.peek()
        if asked and asked.state == "clock" and asked.clock_offset_s is not None:
            offsets["signature"] = asked.clock_offset_s
        return offsets

    def observed(self) -> Observed:
        """Everything seen so far; never waits and never probes."""
        metadata, agent = self._metadata.peek(), self._agent.peek()
        services = self._services.peek()
        if services is None and agent and (agent.version_known or not agent.installs):
            services = self._list_services()  # no socket is asked for such an agent
        endpoints = {}
        if agent is not None and metadata is not None:
            for service in services or ():
                endpoint = self.endpoint(service)
                if endpoint:
                    endpoints[service] = endpoint
        ways = self._ways
        compared = ways.comparisons.peek()
        return Observed(
            now=self.now(),
            policy=self.policy,
            machine=self._machine.peek(),
            imds=metadata.imds if metadata else None,
            role=metadata.role if metadata else None,
            agent=agent,
            agent_log=self._log.peek(),
            disk=self._disk.peek() or (),
            channel=self._channel.peek() or Channel(None),
            permission=self._permission.peek(),
            image=self._image.peek(),
            services=services,
            endpoints=endpoints,
            names={s: v for s, v in ways.names.peek().items() if s in endpoints},
            comparisons={s: v for s, v in compared.items() if v and s in endpoints},
            proxies={s: shown for s in endpoints if (shown := self.proxy(s))},
            tunnels={s: v for s, v in ways.tunnels.peek().items() if s in endpoints},
            paths={s: v for s, v in ways.paths.peek().items() if s in endpoints},
            trust_stores=ways.trust_stores(tuple(endpoints)),
            clock_offsets=self.clock_offsets(),
        )

    def _list_services(self) -> Sequence[str]:
        wanted = [s for s in CORE_SERVICES if s != EC2MESSAGES or self._needed.get()]
        wanted += self._settings["endpoints", "required"]
        wanted += self._settings["endpoints", "optional"]
        return tuple(dict.fromkeys(wanted))

    def _is_required(self, service: str) -> bool:
        if service in self._settings["endpoints", "required"]:
            return True
        return service in CORE_SERVICES and (service != EC2MESSAGES or self._needed.get())

    def _needs_ec2messages(self) -> bool:
        agent = self.agent()
        if not agent.installs:
            return False  # the agent to be installed will be a new one
        if agent.version_known and agent.acting_version is not None:
            return agent.acting_version < NO_EC2MESSAGES
        return self.channel().connected is not True

    def _judge_channel(self) -> Channel:
        sockets = agent_sockets.probe([process.pid for process in self.agent().processes])
        endpoint = self.endpoint(SSMMESSAGES)
        if endpoint is None:
            return channel.judge(sockets, self.agent_log(), (), HTTPS)
        setting = self._ways.proxy(SSMMESSAGES)
        parsed = proxy.parse(setting) if setting else None
        if parsed is not None:
            through = (nameservers.addresses_of(parsed.host), parsed.port)
            return channel.judge(sockets, self.agent_log(), (), endpoint.port, (), through)
        peers = self.name(SSMMESSAGES).addresses
        others = set(self.name(SSM).addresses) - set(peers) if self.endpoint(SSM) else set()
        return channel.judge(sockets, self.agent_log(), peers, endpoint.port, others)

    def _ask_permission(self) -> Permission:
        if self.policy.signed_call == "always":
            return self._call()
        folder = FilePath(self._settings["state", "run_dir"])
        role, now = self.role().name, self.now()
        denied = [entry.at for entry in self.agent_log().denied]
        kept = permission_memory.read(folder)
        renew = self.policy.signed_call == "renew"
        if not renew and kept is not None and kept.holds(role, now, max(denied, default=None)):
            return kept.permission
        # Kept before it is asked: what cannot be remembered would be asked time and again.
        marker = Permission("not-asked", text=f"{folder} cannot keep the answer")
        if not permission_memory.write(folder, permission_memory.Remembered(now, role, marker)):
            return marker
        found = self._call()
        permission_memory.write(folder, permission_memory.Remembered(now, role, found))
        return found

    def _call(self) -> Permission:
        if self._answered is not None:
            return self._answered
        credentials = self._metadata.get().credentials
        if credentials is None:
            return Permission("no-answer", text="IMDS gave no credentials")
        endpoint, instance = self._ways.known(SSM), self.imds().instance
        return systems_manager.probe(
            credentials,
            endpoint.host,
            endpoint.port,
            # Not Agent.Region: a wrong one is a cause of its own.
            instance.region,
            instance.instance_id,
            lambda: self._ways.open(SSM),
        )


def _zone(environ: Mapping[str, str]) -> str:
    """The name of the agent's time zone; Go takes a TZ that is set and empty for UTC."""
    return environ.get("TZ", "") or ("UTC" if "TZ" in environ else "")
