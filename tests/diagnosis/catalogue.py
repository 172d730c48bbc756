"""A world for every code of the catalogue: what makes it the verdict, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from agentcheck.observations import (
    AgentConfig,
    AgentIdentity,
    AgentLog,
    Certificate,
    Comparison,
    Image,
    Imds,
    Install,
    LogEntry,
    Machine,
    Name,
    Observed,
    Path,
    Permission,
    Policy,
    Process,
    Role,
    ServerAnswer,
    TrustStore,
    Tunnel,
    Unit,
    Version,
    Volume,
)
from tests.worlds import (
    ADDRESSES,
    DEAD,
    INSTANCE,
    NOW,
    agent,
    connection,
    healthy,
    host,
    stores,
    with_name,
    with_path,
)

BOTH = ("ssm", "ssmmessages")
THREE = (*BOTH, "ec2messages")
PROXY = "http://10.0.0.99:3128"
DENIAL = (
    "User: arn:aws:sts::123456789012:assumed-role/app/i-0abc1234def567890 is not authorized to"
    " perform: ssm:ListInstanceAssociations on resource: *"
)


def paths(tcp: str, scope: str = "vpc", **changes: object) -> Observed:
    """All services meet the same on all addresses."""
    world = healthy(channel=DEAD)
    for service in BOTH:
        seen = [connection(a, scope, tcp, **changes) for a in ADDRESSES[service]]
        world = with_path(world, service, *seen)
    return world


def names(state: str) -> Observed:
    world = healthy(channel=DEAD)
    for service in BOTH:
        world = with_name(world, service, state, servers=(ServerAnswer("10.0.0.2", state),))
    return world


def tls(state: str, issuer: str = "Evil Corp, Inspection CA") -> Observed:
    seen = Certificate("ssm", issuer, ("other.example",), NOW - 9e6, NOW - 1e6)
    return paths("ok", tls=state, error=f"made to be {state}", certificate=seen)


def denied(policy: str) -> Observed:
    answer = Permission(
        "denied", 400, "AccessDeniedException", DENIAL, "ssm:ListInstanceAssociations", policy
    )
    return healthy(permission=answer, channel=DEAD)


def through(state: str, status: int = 0) -> Observed:
    tunnel = Tunnel(PROXY, state, status or None, f"made to be {state}")
    return healthy(
        proxies=dict.fromkeys(BOTH, PROXY), tunnels=dict.fromkeys(BOTH, tunnel), channel=DEAD
    )


def split() -> Observed:
    world = names("nxdomain")
    found = {
        s: Comparison(
            ServerAnswer("169.254.169.253", "ok", ADDRESSES[s]),
            Path(tuple(connection(a) for a in ADDRESSES[s])),
        )
        for s in BOTH
    }
    return replace(world, comparisons=found)


def pinned() -> Observed:
    world = healthy(channel=DEAD)
    for service in BOTH:
        world = with_path(world, service, connection("10.0.9.9", tcp="timeout"))
        said = (ServerAnswer("10.0.0.2", "ok", ADDRESSES[service]),)
        name = Name(host(service), "ok", ("10.0.9.9",), "ok", said, pinned=("10.0.9.9",))
        world = replace(world, names={**world.names, service: name})
    return world


def image(**changes: object) -> Observed:
    """A machine image that is in order, but for the changes."""
    clean = Image((), {}, "enabled", "enabled", "enabled", ("chrony.service",), 140, "bundle")
    return Observed(
        now=NOW,
        policy=Policy(profile="image"),
        imds=Imds("not-asked"),
        agent=agent(),
        image=replace(clean, **changes),  # type: ignore[arg-type]
    )


UNIT = Unit(
    "amazon-ssm-agent.service", "loaded", "active", "running", "enabled", "success", "always", 0,
    "0", "",
)  # fmt: skip
DISABLED = replace(UNIT, unit_file_state="disabled")
OLD = Process(100, "/usr/bin/amazon-ssm-agent", deleted=True, started=NOW - 9000)
SNAP = Install("/snap/amazon-ssm-agent/current/amazon-ssm-agent", "snap", Version(3, 3, 9, 0))
REFUSED = LogEntry(NOW - 600, "access-denied", "refused", "ssm:UpdateInstanceInformation")
ASLEEP = AgentLog("read", failure=REFUSED, asleep_since=NOW - 600, retry_at=NOW + 900)
LONG_UP = agent(
    processes=(Process(100, "/usr/bin/amazon-ssm-agent", started=NOW - 3600),), unit=UNIT
)

WORLDS: dict[str, Observed] = {
    "healthy": healthy(),
    "not-ec2": Observed(
        now=NOW,
        machine=Machine(False, "QEMU"),
        imds=Imds("unreachable", "timeout", "no answer"),
        agent=replace(agent(), installs=(), processes=()),
    ),
    "disk-full": healthy(disk=(Volume("/var/lib/amazon/ssm", 0, 100),), channel=DEAD),
    "agent-missing": healthy(agent=replace(agent(), installs=(), processes=()), channel=DEAD),
    "agent-misconfigured": healthy(
        agent=agent(config=AgentConfig("/etc/amazon/ssm/amazon-ssm-agent.json", error="not JSON")),
        channel=DEAD,
    ),
    "agent-not-running": healthy(agent=agent(running=False, unit=DISABLED), channel=DEAD),
    "agent-hybrid": healthy(
        agent=agent(identity=AgentIdentity(registered_id="mi-0123456789abcdef0")), channel=DEAD
    ),
    "imds-disabled": Observed(
        now=NOW,
        machine=Machine(True, "Amazon EC2", instance_id=INSTANCE.instance_id),
        imds=Imds("disabled", error="403 to the token request"),
        agent=agent(running=False),
        channel=DEAD,
    ),
    "imds-unreachable": Observed(
        now=NOW,
        machine=Machine(True, "Amazon EC2", instance_id=INSTANCE.instance_id),
        imds=Imds("unreachable", "timeout", "no answer"),
        agent=agent(running=False),
        channel=DEAD,
    ),
    "imds-not-genuine": Observed(
        now=NOW,
        machine=Machine(True, "Amazon EC2", instance_id=INSTANCE.instance_id),
        imds=Imds("not-genuine", error="the token is an HTML page"),
        agent=agent(running=False),
        channel=DEAD,
    ),
    "agent-proxy-covers-imds": healthy(
        agent=agent(environment={"http_proxy": PROXY}, running=False), channel=DEAD
    ),
    "clock-skew": healthy(clock_offsets={"imds": 4000.0, "ssm": 4000.0}, channel=DEAD),
    "role-missing": healthy(role=Role("no-profile"), channel=DEAD),
    "role-not-assumable": healthy(
        role=Role("refused", "app", "AssumeRoleUnauthorizedAccess", "cannot assume"), channel=DEAD
    ),
    "credentials-expired": healthy(
        role=Role("present", "app", "Success", expiration=NOW - 9000), channel=DEAD
    ),
    "proxy-unreachable": through("timeout"),
    "proxy-refuses": through("denied", 403),
    "dns-unreachable": names("unreachable"),
    "dns-failing": names("servfail"),
    "dns-split": split(),
    "dns-not-found": names("nxdomain"),
    "hosts-override": pinned(),
    "no-route": paths("no-route"),
    "endpoint-missing": paths("timeout", "public"),
    "endpoint-blocked": paths("timeout"),
    "endpoint-partly-blocked": with_path(
        healthy(), "ssm", connection("10.0.1.10"), connection("10.0.2.10", tcp="timeout")
    ),
    "endpoint-refused": paths("refused"),
    "trust-store-empty": replace(
        tls("untrusted", "Amazon"), trust_stores=stores(TrustStore("", 0))
    ),
    "tls-intercepted": tls("untrusted"),
    "tls-wrong-certificate": tls("wrong-name"),
    "tls-certificate-expired": tls("expired"),
    "tls-failed": tls("hangs"),
    "agent-needs-ec2messages": with_name(
        healthy(*THREE, agent=agent("3.2.2303.0"), channel=DEAD), "ec2messages", "nxdomain"
    ),
    "role-lacks-permission": denied("identity-policy"),
    "endpoint-policy-denies": denied("endpoint-policy"),
    "scp-denies": denied("scp"),
    "credentials-rejected": healthy(
        permission=Permission("rejected", 400, "UnrecognizedClientException", "HTTP 400"),
        channel=DEAD,
    ),
    "agent-backing-off": healthy(agent=LONG_UP, agent_log=ASLEEP, channel=DEAD),
    "agent-not-connected": healthy(agent=LONG_UP, agent_log=AgentLog("read"), channel=DEAD),
    "agent-restart-needed": healthy(
        agent=agent(processes=(OLD,), running_version=Version(3, 3, 987, 0))
    ),
    "endpoint-public": with_path(healthy(), "ssm", connection("52.94.0.10", "public")),
    "agent-outdated": healthy(*THREE, agent=agent("3.2.2303.0")),
    "agent-version-unknown": healthy(*THREE, agent=agent("3.3.0.0"), channel=DEAD),
    "agent-not-enabled": healthy(agent=agent(unit=DISABLED)),
    "agent-duplicate": healthy(agent=agent(installs=(*agent().installs, SNAP))),
    "image-holds-credentials": image(credentials=("/root/.aws/credentials",)),
    "image-pins-network": image(proxies={"https_proxy": PROXY}),
    "image-lacks-service": image(clock=()),
    "could-not-tell": healthy(unanswered={"imds": "late"}),
}
# These never stand alone: what they stand beside, and with how much asked.
BESIDE = {
    "latent-failure": replace(paths("timeout"), channel=healthy().channel),
    "partial": healthy(),
}
