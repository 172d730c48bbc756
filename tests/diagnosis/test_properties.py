"""Properties of the diagnosis over generated worlds: whatever was seen, it keeps its promises."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentcheck.diagnosis import CODES, diagnose
from agentcheck.diagnosis.notes import notes
from agentcheck.diagnosis.services import usable
from agentcheck.model import FAIL, OK, UNKNOWN, WARN, Cause
from agentcheck.observations import (
    AgentConfig,
    AgentIdentity,
    AgentLog,
    Channel,
    Comparison,
    Connection,
    Endpoint,
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
    ALIVE,
    DEAD,
    INSTANCE,
    NOW,
    UNSEEN,
    agent,
    healthy,
    host,
    stores,
    with_name,
    with_path,
)

STATES = ("ok", "nxdomain", "no-address", "servfail", "refused", "unreachable", "failed")
PROXY = "http://10.0.0.99:3128"
SERVICES = st.sampled_from(
    [("ssm", "ssmmessages"), ("ssm", "ssmmessages", "ec2messages"), ("ssm", "ssmmessages", "kms")]
)
connections = st.builds(
    lambda address, scope, tcp, tls: Connection(
        address, scope, False, tcp, 0.1, tls if tcp == "ok" else None, error="made"
    ),
    st.sampled_from(["10.0.1.1", "10.0.1.2", "2600::1", "64:ff9b::1"]),
    st.sampled_from(["vpc", "private", "public"]),
    st.sampled_from(["ok", "timeout", "refused", "no-route", "prohibited", "failed"]),
    st.sampled_from(
        ["ok", "ok", "untrusted", "wrong-name", "expired", "hangs", "not-tls", "failed"]
    ),
)
paths = st.builds(Path, st.lists(connections, min_size=1, max_size=3).map(tuple))
answers = st.builds(
    ServerAnswer,
    st.sampled_from(["10.0.0.2", "10.0.0.53"]),
    st.sampled_from(["ok", "nxdomain", "servfail", "timeout"]),
    st.sampled_from([("10.0.1.1",), ("10.0.1.1", "10.0.1.2"), ()]),
)
permissions = st.one_of(
    st.none(),
    st.builds(
        lambda state, policy: Permission(
            state, 400, "Code", "text", "ssm:ListInstanceAssociations",
            policy if state == "denied" else "",
        ),
        st.sampled_from(
            ["ok", "denied", "denied", "rejected", "expired", "clock", "throttled", "foreign",
             "no-answer"]
        ),
        st.sampled_from(
            ["", "identity-policy", "permissions-boundary", "explicit-deny", "endpoint-policy",
             "scp"]
        ),
    ),
)  # fmt: skip
entries = st.builds(
    LogEntry,
    st.just(NOW - 600),
    st.sampled_from(["access-denied", "network", "no-role", "clock"]),
    st.just("text"),
    st.sampled_from(["", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel"]),
)
logs = st.one_of(
    st.none(),
    st.builds(
        AgentLog,
        st.sampled_from(["read", "absent", "unreadable", "foreign"]),
        failure=st.one_of(st.none(), entries),
        denied=st.lists(entries, max_size=2).map(tuple),
        retry_at=st.sampled_from([None, NOW - 60, NOW + 600]),
        hibernating=st.booleans(),
        retries_silenced=st.booleans(),
    ),
)
identities = st.builds(
    AgentIdentity,
    credential_source=st.sampled_from(["", "EC2", "SSM"]),
    credentials_expire=st.sampled_from([None, NOW - 60, NOW + 600]),
    credentials_retrieved=st.sampled_from([None, NOW - 600]),
    unreadable=st.booleans(),
    registered_id=st.sampled_from(["", "", "mi-0123456789abcdef0", "i-0fedcba9876543210"]),
)
UNIT = Unit(
    "amazon-ssm-agent.service", "loaded", "active", "running", "enabled", "success", "always", 0,
    "0", "",
)  # fmt: skip
BINARY = "/usr/bin/amazon-ssm-agent"
SNAP = Install("/snap/amazon-ssm-agent/current/amazon-ssm-agent", "snap", Version(3, 3, 9, 0))


@st.composite
def agents(draw: st.DrawFn) -> Any:
    version = draw(st.sampled_from(["3.3.1611.0", "3.2.2303.0", "3.3.0.0"]))
    made = agent(version, running=draw(st.booleans()))
    started = draw(st.sampled_from([None, NOW - 10, NOW - 9000]))
    return replace(
        made,
        installs=draw(st.sampled_from([made.installs, (*made.installs, SNAP), (SNAP,), ()])),
        processes=tuple(
            Process(p.pid, p.path, draw(st.booleans()), started) for p in made.processes
        ),
        processes_hidden=draw(st.integers(0, 9)) == 0,
        unit=draw(st.sampled_from([None, UNIT, replace(UNIT, unit_file_state="disabled")])),
        config=draw(
            st.sampled_from(
                [
                    AgentConfig(),
                    AgentConfig(),
                    AgentConfig("p", error="not JSON"),
                    AgentConfig("p", endpoints={"ssm": "ssm.eu-west-1.amazonaws.com"}),
                ]
            )
        ),
        identity=draw(identities),
        environment=draw(st.sampled_from([{}, {}, {"http_proxy": PROXY}])),
        environment_hidden=draw(st.integers(0, 9)) == 0,
        running_version=draw(st.sampled_from([None, None, Version(3, 3, 987, 0)])),
        updating=draw(st.integers(0, 9)) == 0,
        dangling_snap=draw(st.booleans()),
    )


@st.composite
def observed(draw: st.DrawFn) -> Observed:
    """Worlds that hang together: no path without a name, no name without a Region."""
    services = draw(SERVICES)
    world = healthy(*services)
    for service in services:
        state = draw(st.sampled_from(STATES))
        if state != "ok":
            world = with_name(
                world, service, state, servers=tuple(draw(st.lists(answers, max_size=2)))
            )
        elif draw(st.integers(0, 9)):
            world = with_path(world, service, *draw(paths).connections)
        if draw(st.integers(0, 7)) == 0:
            name = world.names[service]
            pinned = Name(
                host(service), "ok", ("10.0.1.1",), "ok",
                tuple(draw(st.lists(answers, max_size=2))), pinned=("10.0.1.1",),
            )  # fmt: skip
            world = replace(world, names={**world.names, service: pinned if name else name})
    tunnels = st.builds(
        Tunnel,
        st.just(PROXY),
        st.sampled_from(["ok", "denied", "timeout", "unsupported", "not-proxy"]),
        st.sampled_from([None, 403, 407, 502]),
        st.just("made"),
    )
    proxied = draw(st.lists(st.sampled_from(services), max_size=2, unique=True))
    compared = draw(st.lists(st.sampled_from(services), max_size=2, unique=True))
    return replace(
        world,
        policy=Policy(require_private=draw(st.sampled_from(["auto", "yes", "no"]))),
        machine=Machine(
            draw(st.sampled_from([True, True, None])), uid=draw(st.sampled_from([0, 990]))
        ),
        imds=Imds("ok", instance=INSTANCE, clock_offset_s=0.2),
        agent=draw(agents()),
        agent_log=draw(logs),
        disk=draw(st.sampled_from([(), (), (Volume("/tmp", read_only=True),)])),
        role=Role(
            draw(
                st.sampled_from(["present", "present", "no-profile", "no-document", "unreadable"])
            ),
            "app",
            "Code",
            expiration=NOW + draw(st.sampled_from([-1e4, 1e4])),
        ),
        permission=draw(permissions),
        channel=draw(st.sampled_from([ALIVE, DEAD, UNSEEN, Channel(True, "log")])),
        trust_stores=stores(TrustStore("bundle", draw(st.sampled_from([0, 140])))),
        clock_offsets={"imds": draw(st.sampled_from([0.0, 100.0, 4000.0])), "ssm": 0.0},
        comparisons={
            s: Comparison(
                ServerAnswer("169.254.169.253", "ok", ("10.0.1.1",)),
                draw(st.one_of(st.none(), paths)),
            )
            for s in compared
        },
        proxies=dict.fromkeys(proxied, PROXY),
        tunnels={s: draw(tunnels) for s in proxied},
        endpoints={
            s: Endpoint(s, host(s), 443, s != "kms" or draw(st.booleans()), "why") for s in services
        },
        unanswered=draw(st.sampled_from([{}, {}, {"imds": "late"}])),
    )


def _tcp(o: Observed, cause: Cause, state: str, *scopes: str) -> bool:
    """Every service of the cause has an address in one of the scopes that met that."""
    return all(
        any(c.tcp == state and (not scopes or c.scope in scopes) for c in o.paths[s].connections)
        for s in cause.services
    )


def _tls(o: Observed, cause: Cause, *states: str) -> bool:
    return all(any(c.tls in states for c in o.paths[s].connections) for s in cause.services)


def _name(o: Observed, cause: Cause, *states: str) -> bool:
    return all(o.names[s].state in states for s in cause.services)


def _agent(o: Observed) -> Any:
    assert o.agent is not None
    return o.agent


# What must have been seen for a code to be listed, written down apart from the diagnosis.
EVIDENCE: dict[str, Callable[[Observed, Cause], bool]] = {
    "disk-full": lambda o, c: any(v.trouble for v in o.disk),
    "agent-missing": lambda o, c: not _agent(o).installs,
    "agent-misconfigured": lambda o, c: bool(_agent(o).config.path),
    "agent-not-running": lambda o, c: not _agent(o).running and not _agent(o).updating,
    "agent-hybrid": lambda o, c: _agent(o).identity.registered_id.startswith("mi-"),
    "agent-proxy-covers-imds": lambda o, c: "http_proxy" in _agent(o).environment,
    "clock-skew": lambda o, c: any(abs(v) > 60 for v in o.clock_offsets.values()),
    "role-missing": lambda o, c: o.role is not None and o.role.state in ("no-profile", "no-role"),
    "role-not-assumable": lambda o, c: o.role is not None and o.role.state != "present",
    "credentials-expired": lambda o, c: o.role is not None
    and (
        (o.role.expiration or 0) < NOW
        or (o.permission is not None and o.permission.state == "expired")
    ),
    "proxy-unreachable": lambda o, c: all(
        o.tunnels[s].state in ("timeout", "not-proxy") for s in c.services
    ),
    "proxy-refuses": lambda o, c: all(o.tunnels[s].state == "denied" for s in c.services),
    "dns-unreachable": lambda o, c: c.status == WARN or _name(o, c, "unreachable"),
    "dns-failing": lambda o, c: _name(o, c, "servfail", "refused"),
    "dns-split": lambda o, c: all(
        (p := o.comparisons[s].path) is not None and p.usable for s in c.services
    ),
    "dns-not-found": lambda o, c: _name(o, c, "nxdomain", "no-address"),
    "hosts-override": lambda o, c: all(o.names[s].pinned for s in c.services),
    "no-route": lambda o, c: all(
        any(x.tcp in ("no-route", "prohibited") for x in o.paths[s].connections) for s in c.services
    ),
    "endpoint-missing": lambda o, c: _tcp(o, c, "timeout", "public"),
    "endpoint-blocked": lambda o, c: _tcp(o, c, "timeout", "vpc", "private"),
    "endpoint-partly-blocked": lambda o, c: all(
        o.paths[s].usable and any(x.tls != "ok" for x in o.paths[s].connections) for s in c.services
    ),
    "endpoint-refused": lambda o, c: _tcp(o, c, "refused"),
    "trust-store-empty": lambda o, c: _tls(o, c, "untrusted"),
    "tls-intercepted": lambda o, c: _tls(o, c, "untrusted"),
    "tls-wrong-certificate": lambda o, c: _tls(o, c, "wrong-name"),
    "tls-certificate-expired": lambda o, c: _tls(o, c, "expired"),
    "tls-failed": lambda o, c: _tls(o, c, "hangs", "not-tls", "failed"),
    "agent-needs-ec2messages": lambda o, c: not usable(o, "ec2messages"),
    "role-lacks-permission": lambda o, c: (
        (o.permission is not None and o.permission.state == "denied")
        or bool(o.agent_log and o.agent_log.denied)
    )
    and not _agent(o).host_management_active(NOW, INSTANCE.instance_id),
    "endpoint-policy-denies": lambda o, c: o.permission is not None
    and o.permission.policy == "endpoint-policy",
    "scp-denies": lambda o, c: o.permission is not None and o.permission.policy == "scp",
    "credentials-rejected": lambda o, c: o.permission is not None
    and o.permission.state == "rejected",
    "latent-failure": lambda o, c: o.channel == ALIVE and all(not usable(o, s) for s in c.services),
    "agent-backing-off": lambda o, c: o.agent_log is not None
    and (o.agent_log.failure is not None or o.agent_log.retry_at is not None)
    and o.connected is not True,
    "agent-not-connected": lambda o, c: o.connected is False and not o.proxies,
    "agent-restart-needed": lambda o, c: _agent(o).running_version is not None,
    "endpoint-public": lambda o, c: all(
        all(x.scope == "public" for x in o.paths[s].reached) for s in c.services
    ),
    "agent-outdated": lambda o, c: _agent(o).acting_version < Version(3, 3, 40, 0),
    "agent-version-unknown": lambda o, c: not _agent(o).version_known,
    "agent-not-enabled": lambda o, c: _agent(o).unit.unit_file_state == "disabled",
    "agent-duplicate": lambda o, c: len(_agent(o).installs) == 2,
    "could-not-tell": lambda o, c: bool(o.unanswered)
    or _agent(o).updating
    or not all(usable(o, s) for s in o.endpoints),
}
# Of these the generated worlds have none.
NOT_DRAWN = {
    "healthy",
    "partial",
    "not-ec2",
    "imds-disabled",
    "imds-unreachable",
    "imds-not-genuine",
    "image-holds-credentials",
    "image-pins-network",
    "image-lacks-service",
}


def test_the_evidence_of_every_code_is_known_here() -> None:
    assert set(EVIDENCE) | NOT_DRAWN == set(CODES)


@settings(max_examples=600, deadline=None)
@given(observed(), st.booleans(), st.randoms(use_true_random=False))
def test_diagnosis_holds_on_any_world(
    world: Observed, complete: bool, shuffler: random.Random
) -> None:
    """It never raises, lists no cause without its evidence, is never green on a broken endpoint,
    and does not depend on the order in which things were seen."""
    verdict, causes = diagnose(world, complete)
    for cause in causes:
        assert cause.evidence, cause
        assert cause.remedy, cause
        assert set(cause.services) <= set(world.services or ())
        assert EVIDENCE[cause.code](world, cause), cause
    needed = [s for s, e in world.endpoints.items() if e.required]
    broken = [s for s in needed if not usable(world, s)]
    if broken and complete:
        assert verdict.status in (FAIL, UNKNOWN) or _excused(causes, broken), causes
    assert verdict.status != OK or not broken or not complete
    assert len({(cause.code, cause.services) for cause in causes}) == len(causes)
    ranks = [(FAIL, UNKNOWN, WARN).index(c.status) for c in causes]
    assert ranks == sorted(ranks)
    list(notes(world))
    again, others = diagnose(_shuffled(world, shuffler), complete)
    assert again.code == verdict.code
    assert [(c.code, c.status, c.services) for c in others] == [
        (c.code, c.status, c.services) for c in causes
    ]


def _excused(causes: Any, broken: list[str]) -> bool:
    """A connected agent turns some failures into warnings: an old one without ec2messages, a
    handshake that only our own library refuses."""
    named = {
        s for c in causes if c.code in ("agent-needs-ec2messages", "tls-failed") for s in c.services
    }
    return set(broken) <= named


def _shuffled(world: Observed, shuffler: random.Random) -> Observed:
    def mixed(mapping: Any) -> dict[str, Any]:
        pairs = list(mapping.items())
        shuffler.shuffle(pairs)
        return dict(pairs)

    seen = {
        service: Path(tuple(shuffler.sample(list(path.connections), len(path.connections))))
        for service, path in world.paths.items()
    }
    return replace(
        world,
        endpoints=mixed(world.endpoints),
        paths=mixed(seen),
        names=mixed(world.names),
        tunnels=mixed(world.tunnels),
        comparisons=mixed(world.comparisons),
        clock_offsets=mixed(world.clock_offsets),
    )
