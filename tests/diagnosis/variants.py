"""Worlds beside the catalogue's: what else each verdict can say, one branch of it each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agentcheck.observations import (
    Agent,
    AgentConfig,
    AgentIdentity,
    AgentLog,
    Connection,
    Endpoint,
    Image,
    Imds,
    Install,
    LogEntry,
    Machine,
    Name,
    Observed,
    Permission,
    Policy,
    Process,
    Role,
    ServerAnswer,
    Version,
    Volume,
)
from tests.diagnosis.catalogue import (
    ASLEEP,
    BOTH,
    LONG_UP,
    PROXY,
    REFUSED,
    SNAP,
    THREE,
    UNIT,
    WORLDS,
    denied,
    image,
    paths,
)
from tests.worlds import (
    ADDRESSES,
    ALIVE,
    DEAD,
    INSTANCE,
    NOW,
    UNSEEN,
    agent,
    connection,
    healthy,
    host,
    with_name,
    with_path,
)

ON_SNAP = replace(agent(), installs=(SNAP,), processes=(Process(100, SNAP.path),))


def stopped(**changes: Any) -> Observed:
    return healthy(agent=agent(running=False, unit=replace(UNIT, **changes)), channel=DEAD)


def enabled(state: str, **changes: Any) -> Observed:
    """A running agent whose unit file is in that state."""
    return healthy(agent=agent(unit=replace(UNIT, unit_file_state=state), **changes))


def imds(reason: str, uid: int = 0, **changes: Any) -> Observed:
    world = Observed(
        now=NOW,
        machine=Machine(True, "Amazon EC2", uid, instance_id=INSTANCE.instance_id),
        imds=Imds("unreachable", reason, "no answer"),
        agent=agent(),
        channel=DEAD,
    )
    return replace(world, **changes)


def at(world: Observed, **changes: Any) -> Observed:
    """The same on an instance of which IMDS says something else."""
    return replace(world, imds=Imds("ok", instance=replace(INSTANCE, **changes)))


def log(*, policy: str = "", action: str = "ssmmessages:CreateControlChannel", **more: Any) -> Any:
    """An agent's log with one refusal."""
    entry = LogEntry(NOW - 600, "access-denied", "refused", action, policy, **more)
    return AgentLog("read", failure=entry, denied=(entry,))


def old_agent(**changes: Any) -> Observed:
    """One that needs ec2messages, which has no name."""
    world = healthy(*THREE, agent=agent("3.2.2303.0"), channel=DEAD)
    return replace(with_name(world, "ec2messages", "nxdomain"), **changes)


def family(*connections: Connection, **changes: Any) -> Observed:
    return at(with_path(healthy(), "ssm", *connections), **changes)


def expired(**changes: Any) -> Observed:
    role = Role("present", "app", "Success", expiration=NOW - 9000)
    return healthy(role=replace(role, **changes), channel=DEAD)


def six(tcp: str = "ok", **changes: Any) -> Connection:
    return connection("2600:1f18::10", tcp=tcp, **changes)


def of(code: str) -> Agent:
    found = WORLDS[code].agent
    assert found is not None
    return found


ASLEEP_SINCE = replace(ASLEEP, failure=None)
MANAGED = AgentIdentity(credential_source="SSM", credentials_expire=NOW - 9)
PROVEN = agent(identity=AgentIdentity(credential_source="EC2", credentials_retrieved=NOW - 600))
RPM = Install("/usr/bin/amazon-ssm-agent", "rpm", Version(3, 3, 1611, 0))
BARE = Install("/opt/amazon-ssm-agent", "")
KMS = Endpoint("kms", host("kms"), 443, False, "asked for")

HERE: dict[str, Observed] = {
    "configured to be no instance": healthy(policy=Policy(on_ec2="no")),
    "no vendor and no metadata service asked": Observed(now=NOW, machine=Machine(False), imds=None),
    "no vendor": Observed(now=NOW, machine=Machine(False), imds=Imds("not-asked")),
    # disk
    "a read-only disk": healthy(disk=(Volume("/tmp", read_only=True),), channel=DEAD),
    "two read-only disks": healthy(
        disk=(Volume("/tmp", read_only=True), Volume("/home", read_only=True)), channel=DEAD
    ),
    "two places, two troubles, still connected": healthy(
        disk=(
            Volume("/var/lib/amazon/ssm", 10, None),
            Volume("/var/log/amazon/ssm", 10, 7),
            Volume("/tmp", None, 0),
            Volume("/home", 10**9, 10),
        )
    ),
    "a full disk without an agent": healthy(
        disk=(Volume("/tmp", 0),), agent=replace(agent(), installs=(), processes=()), channel=DEAD
    ),
    # agent
    "a snap that leads nowhere": healthy(
        agent=replace(agent(), installs=(), processes=(), dangling_snap=True), channel=DEAD
    ),
    "no agent and no metadata": Observed(
        now=NOW, machine=Machine(None), agent=replace(agent(), installs=(), processes=())
    ),
    "a configuration that may not be read": healthy(
        agent=agent(config=AgentConfig("p", error="not JSON", unreadable=True))
    ),
    "two settings that cannot work": healthy(
        agent=agent(
            config=AgentConfig(
                "p", region="eu-west-1", endpoints={"ssm": "ssm.eu-west-1.amazonaws.com"}
            )
        )
    ),
    "a masked agent": stopped(load_state="masked", active_state="inactive", sub_state="dead"),
    "a failed agent": stopped(
        active_state="failed",
        result="exit-code",
        exit_status="1",
        exited_at="Mon 10:00:00 UTC",
        restart="",
        restarts=0,
    ),
    "an agent without a unit": stopped(load_state="not-found", unit_file_state=""),
    "an agent outside of systemd": healthy(agent=agent(running=False), channel=DEAD),
    "a stopped snap": healthy(agent=replace(ON_SNAP, processes=(), unit=UNIT), channel=DEAD),
    "processes that may not be seen": healthy(
        agent=agent(running=False, processes_hidden=True), channel=UNSEEN
    ),
    "an agent under update": healthy(agent=agent(running=False, updating=True), channel=DEAD),
    "a connected hybrid node": healthy(
        agent=agent(identity=AgentIdentity(instance_id="mi-0123456789abcdef0"))
    ),
    "a hybrid node where IMDS is silent": replace(
        imds("timeout"), agent=of("agent-hybrid"), machine=Machine(True)
    ),
    "a masked unit": enabled("masked"),
    "a unit masked until the next boot": enabled("masked-runtime"),
    "a disabled snap": healthy(
        agent=replace(ON_SNAP, unit=replace(UNIT, unit_file_state="disabled"))
    ),
    "a disabled agent that does not run": stopped(unit_file_state="disabled"),
    "an rpm beside a snap that runs": healthy(
        agent=replace(agent(), installs=(RPM, SNAP), processes=(Process(100, SNAP.path),))
    ),
    "a deb beside a snap that runs": healthy(
        agent=replace(
            agent(), installs=(*agent().installs, SNAP), processes=(Process(100, SNAP.path),)
        )
    ),
    "a bare program beside a snap": healthy(agent=replace(agent(), installs=(SNAP, BARE))),
    "two snaps": healthy(agent=replace(ON_SNAP, installs=(SNAP, SNAP))),
    # imds
    "no route to IMDS": imds("no-route"),
    "an IMDS that says nothing": imds("silent"),
    "an IMDS that refuses": imds("refused"),
    "IMDS shut out for one user": imds("timeout", 990, channel=ALIVE),
    "IMDS shut out for root": imds("timeout", 0, channel=ALIVE),
    "IMDS shut and the channel not seen": imds("timeout", 990, channel=UNSEEN),
    "IMDS shut and the machine not known": replace(imds("", channel=ALIVE), machine=None),
    "a proxy before IMDS and a connected agent": healthy(
        agent=agent(environment={"HTTP_PROXY": "http://u:p@10.0.0.99:3128", "NO_PROXY": "a"})
    ),
    "a proxy before the IMDS of a snap": healthy(
        agent=replace(ON_SNAP, environment={"http_proxy": PROXY}), channel=DEAD
    ),
    # clock, role
    "a clock ahead, told by one": healthy(clock_offsets={"imds": -4000.0}),
    "a clock a little off": healthy(clock_offsets={"imds": 61.0, "ssm": 61.0}),
    "a profile without a role, and host management that ended": healthy(
        role=Role("no-role"), agent=agent(identity=MANAGED), channel=DEAD
    ),
    "no role and nothing known of the agent": healthy(role=Role("no-profile"), agent=None),
    "a role without a document": healthy(role=Role("no-document", "app"), channel=DEAD),
    "a role that is refused without a word": healthy(role=Role("refused", "app", "Failed")),
    "expired credentials and a refused token": replace(
        expired(last_updated=NOW - 90000),
        permission=Permission("expired", 400, "ExpiredTokenException", "HTTP 400"),
    ),
    "a refused token": healthy(
        permission=Permission("expired", 400, "ExpiredTokenException", "HTTP 400"),
        role=Role("present", "app", "Success"),
        channel=DEAD,
    ),
    # versions
    "an old agent that is connected": old_agent(channel=ALIVE),
    "an old agent whose channel is not seen": old_agent(channel=UNSEEN),
    "an old agent whose ec2messages is silent": with_path(
        healthy(*THREE, agent=agent("3.2.2303.0"), channel=DEAD),
        "ec2messages",
        connection("10.0.1.12", tcp="timeout"),
    ),
    "an old process of a new agent": old_agent(
        agent=agent(
            processes=of("agent-restart-needed").processes, running_version=Version(3, 2, 1, 0)
        )
    ),
    "an agent of no known version": healthy(
        *THREE,
        agent=replace(
            agent(), installs=(Install("/opt/a", ""),), processes=(Process(1, "/opt/a"),)
        ),
    ),
    "a placeholder whose channel is not seen": healthy(
        *THREE, agent=agent("3.3.0.0"), channel=UNSEEN
    ),
    "a process that was replaced, and none to name": healthy(
        agent=agent(running_version=Version(3, 3, 987, 0))
    ),
    # permission
    **{
        f"denied by {policy}": denied(policy)
        for policy in (
            "",
            "permissions-boundary",
            "explicit-deny",
            "session-policy",
            "resource-control-policy",
        )
    },
    "denied, of another partition, and connected": at(
        replace(denied("identity-policy"), channel=ALIVE), partition="aws-cn"
    ),
    "denied explicitly by a boundary": replace(
        denied(""),
        permission=Permission(
            "denied",
            400,
            "A",
            "with an explicit deny in a permissions boundary",
            "ssm:X",
            "permissions-boundary",
        ),
    ),
    "denied, and lately proven, and elsewhere kept away": replace(
        paths("timeout"), permission=denied("").permission, agent=PROVEN
    ),
    "denied for what is not named": replace(
        denied("identity-policy"),
        permission=Permission("denied", 400, "A", "no", "", "identity-policy"),
    ),
    "the log names a boundary": healthy(
        agent=LONG_UP, agent_log=log(policy="permissions-boundary"), channel=DEAD
    ),
    "the log names an endpoint policy": at(
        healthy(agent=LONG_UP, agent_log=log(policy="endpoint-policy"), channel=DEAD), vpc_id=""
    ),
    "an endpoint policy of no known endpoint": healthy(
        agent=LONG_UP, agent_log=log(policy="endpoint-policy", action="kms:Decrypt"), channel=DEAD
    ),
    "the log names a policy of the organization": healthy(
        agent=LONG_UP, agent_log=log(policy="scp"), channel=DEAD
    ),
    # channel
    "asleep": healthy(agent=LONG_UP, agent_log=ASLEEP_SINCE, channel=DEAD),
    "hibernating": healthy(
        agent=LONG_UP, agent_log=replace(ASLEEP, hibernating=True), channel=DEAD
    ),
    "hibernating, and late": healthy(
        agent=LONG_UP, agent_log=replace(ASLEEP, hibernating=True, retry_at=NOW - 9), channel=DEAD
    ),
    "retrying": healthy(agent=LONG_UP, agent_log=AgentLog("read", failure=REFUSED), channel=DEAD),
    "retrying in silence": healthy(
        agent=LONG_UP,
        agent_log=AgentLog("read", failure=replace(REFUSED, action=""), retries_silenced=True),
        permission=Permission("ok", 200),
        channel=DEAD,
    ),
    "retrying after refusals that are gone": healthy(
        agent=LONG_UP,
        agent_log=log(action="ssm:UpdateInstanceInformation"),
        permission=Permission("ok", 200),
        channel=DEAD,
    ),
    "no channel and no log": healthy(agent=LONG_UP, agent_log=AgentLog("absent"), channel=DEAD),
    # image
    "an image without certificates": image(certificates=0, store=""),
    "an image with an empty store": image(certificates=0, store="/etc/ssl/cert.pem"),
    "an image whose agent is masked": image(agent_enabled="masked"),
    "an image whose agent is no unit's": image(agent_enabled=None),
    "an image that switched cloud-init off": image(cloud_init="disabled"),
    "an image that lacks all": image(clock=(), agentcheck_enabled="absent", cloud_init="masked"),
    "an image that pins the network": replace(
        image(),
        agent=agent(
            config=AgentConfig(
                "/etc/a.json",
                region="eu-west-1",
                messages_region="eu-west-2",
                domain="c2s.ic.gov",
                endpoints={"ssm": "ssm.corp.example"},
            )
        ),
    ),
    "an image whose disk is full": replace(image(), disk=(Volume("/tmp", 0),)),
    "an image without an agent": replace(
        image(agent_enabled=None), agent=replace(agent(), installs=(), processes=())
    ),
    "an image with a broken configuration": replace(
        image(), agent=agent(config=AgentConfig("p", error="not JSON"))
    ),
    "an image with a registered agent": replace(image(), agent=of("agent-hybrid")),
    "an image with a placeholder of an agent": replace(image(), agent=agent("3.3.0.0")),
    "an image with two agents": replace(
        image(), agent=replace(agent(), installs=(*agent().installs, SNAP))
    ),
    "an image of which not all was seen": replace(image(), unanswered={"disk": "late"}),
    "an image of nothing": Observed(
        now=NOW, policy=Policy(profile="image"), image=Image(certificates=1)
    ),
    "an image with an old agent": replace(image(), agent=agent("3.2.2303.0")),
    # nothing explains it
    "a failed check without a cause": healthy(failed={"permission": "refused: x", "tcp.ssm": "x"}),
    "an unusable path without a cause": replace(healthy(channel=DEAD), paths={}),
    "no endpoint known": Observed(now=NOW, imds=Imds("ok"), agent=agent(), machine=Machine(True)),
    "unanswered checks of a user": healthy(
        unanswered={"role": "error", "disk": "late"}, machine=Machine(True, uid=990)
    ),
    # notes
    "dead IPv6": family(connection("10.0.1.10"), six("timeout")),
    "dead IPv4": family(connection("10.0.1.10", tcp="timeout"), six()),
    "dead IPv4 of an instance without": family(
        connection("10.0.1.10", tcp="timeout"), six(), local_ipv4=""
    ),
    "NAT64": family(replace(six(), address="64:ff9b::34.94.0.10", scope="public")),
    "pinned as DNS says": replace(
        healthy(),
        names={
            s: Name(
                host(s),
                "ok",
                ADDRESSES[s],
                "ok",
                (ServerAnswer("10.0.0.2", "ok", ADDRESSES[s]),),
                pinned=ADDRESSES[s],
            )
            for s in BOTH
        },
    ),
    "addresses over the cap": replace(
        healthy(), paths={**healthy().paths, "ssm": replace(healthy().paths["ssm"], left_out=3)}
    ),
    "an optional endpoint": replace(
        healthy(),
        endpoints={**healthy().endpoints, "kms": KMS},
        names={**healthy().names, "kms": Name(host("kms"), "nxdomain")},
    ),
    "an update under way": healthy(agent=agent(updating=True)),
    "state of former instances": healthy(
        agent=agent(
            identity=AgentIdentity(
                former_ids=("i-0aaa", "i-0bbb"),
                registered_id="i-0ccc",
                instance_id=INSTANCE.instance_id,
            )
        )
    ),
    "state of a former instance in an image": replace(
        image(), agent=agent(identity=AgentIdentity(former_ids=("i-0aaa",)))
    ),
    **{
        f"a signed call: {state}": healthy(permission=Permission(state, 0, "", "what it said"))
        for state in ("throttled", "server-error", "foreign", "no-answer", "other")
    },
    "clocks that disagree": healthy(clock_offsets={"imds": 0.0, "ssm": 90.0}),
}
