"""Which cause beats which, and what is never said: the rules of the catalogue, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentcheck.diagnosis import diagnose
from agentcheck.model import FAIL, UNKNOWN, WARN
from agentcheck.observations import (
    AgentIdentity,
    AgentLog,
    Comparison,
    Imds,
    LogEntry,
    Name,
    Observed,
    Path,
    Permission,
    Process,
    Role,
    ServerAnswer,
    Volume,
)
from tests.diagnosis.catalogue import (
    ASLEEP,
    BOTH,
    LONG_UP,
    PROXY,
    UNIT,
    WORLDS,
    denied,
    names,
    paths,
    pinned,
    tls,
)
from tests.worlds import (
    ADDRESSES,
    ALIVE,
    DEAD,
    NOW,
    UNSEEN,
    agent,
    connection,
    healthy,
    host,
    with_path,
)

SKEWED = {"imds": 30000.0, "ssm": 30000.0}
HOST_MANAGEMENT = AgentIdentity(credential_source="SSM", credentials_expire=NOW + 900)


def found(world: Observed) -> list[tuple[str, str]]:
    return [(cause.code, cause.status) for cause in diagnose(world)[1]]


def test_a_full_disk_hides_neither_the_path_nor_the_role() -> None:
    world = replace(
        paths("timeout"), disk=(Volume("/tmp", read_only=True),), role=Role("no-profile")
    )
    assert found(world) == [
        ("disk-full", FAIL),
        ("role-missing", FAIL),
        ("endpoint-blocked", FAIL),
    ]


@pytest.mark.parametrize(
    "code",
    ["disk-full", "agent-hybrid", "agent-proxy-covers-imds", "role-lacks-permission"],
)
def test_what_a_connected_agent_lives_with_is_a_warning(code: str) -> None:
    running = agent(
        identity=WORLDS[code].agent.identity,  # type: ignore[union-attr]
        environment=WORLDS[code].agent.environment,  # type: ignore[union-attr]
    )
    assert found(WORLDS[code])[0] == (code, FAIL)
    assert found(replace(WORLDS[code], agent=running, channel=ALIVE)) == [(code, WARN)]


@pytest.mark.parametrize("code", ["imds-unreachable", "imds-disabled", "imds-not-genuine"])
def test_an_agent_that_ended_without_imds_is_no_cause_of_its_own(code: str) -> None:
    assert found(WORLDS[code]) == [(code, FAIL)]


def test_an_agent_that_ended_behind_a_proxy_before_imds_is_no_cause_of_its_own() -> None:
    assert found(WORLDS["agent-proxy-covers-imds"]) == [("agent-proxy-covers-imds", FAIL)]


def test_a_wrong_clock_beats_what_it_makes_look_wrong() -> None:
    """Rejected and expired credentials, and certificates out of date."""
    rejected = replace(WORLDS["credentials-rejected"], clock_offsets=SKEWED)
    assert found(rejected) == [("clock-skew", FAIL)]
    token = Permission("expired", 400, "ExpiredTokenException", "HTTP 400")
    assert found(healthy(permission=token, clock_offsets=SKEWED, channel=DEAD)) == [
        ("clock-skew", FAIL)
    ]
    certificate = replace(tls("not-yet-valid"), clock_offsets=SKEWED)
    seen = [
        replace(c, certificate=replace(c.certificate, not_before=NOW + 9000, not_after=NOW + 9e6))
        for c in certificate.paths["ssm"].connections
        if c.certificate
    ]
    both = with_path(with_path(certificate, "ssm", *seen), "ssmmessages", *seen)
    assert found(replace(both, clock_offsets=SKEWED)) == [("clock-skew", FAIL)]


def test_one_clock_alone_is_never_enough_to_fail() -> None:
    assert found(healthy(clock_offsets={"imds": 4000.0})) == [("clock-skew", WARN)]
    contradicted = {"imds": 0.0, "ssm": 4000.0, "ssmmessages": 4000.0}
    assert found(healthy(clock_offsets=contradicted)) == []
    acted_on = {**contradicted, "signature": 4000.0}
    assert found(healthy(clock_offsets=acted_on, channel=DEAD)) == [("clock-skew", FAIL)]
    proven = {"imds": 4000.0, "signature": 4000.0}
    assert found(healthy(clock_offsets=proven, channel=DEAD)) == [("clock-skew", FAIL)]


def test_without_a_role_nothing_is_said_of_permissions() -> None:
    world = replace(denied("identity-policy"), role=Role("no-profile"))
    assert found(world) == [("role-missing", FAIL)]


@pytest.mark.parametrize("policy", ["identity-policy", "permissions-boundary", ""])
def test_default_host_management_needs_no_rights_of_the_role(policy: str) -> None:
    managed = agent(identity=HOST_MANAGEMENT)
    assert found(replace(denied(policy), agent=managed)) == []
    ended = agent(identity=replace(HOST_MANAGEMENT, credentials_expire=NOW - 9))
    assert found(replace(denied(policy), agent=ended))[0][1] == FAIL


def test_credentials_of_default_host_management_that_another_instance_had_are_none() -> None:
    """An image brought them along."""
    foreign = agent(identity=replace(HOST_MANAGEMENT, instance_id="i-0fedcba9876543210"))
    world = healthy(role=Role("no-profile"), agent=foreign, channel=DEAD)
    assert found(world) == [("role-missing", FAIL)]


@pytest.mark.parametrize(
    "role", [Role("refused", "app", "AssumeRoleUnauthorizedAccess"), Role("no-document", "app")]
)
def test_a_role_that_gives_nothing_is_no_fault_beside_default_host_management(role: Role) -> None:
    assert found(healthy(role=role, channel=DEAD)) == [("role-not-assumable", FAIL)]
    assert found(healthy(role=role, agent=agent(identity=HOST_MANAGEMENT))) == []


def refused(policy: str = "", role: str = "app", service: str = "ssmmessages") -> AgentLog:
    """The agent's log says that a call was refused."""
    action = f"{service}:CreateControlChannel"
    entry = LogEntry(NOW - 600, "access-denied", "refused", action, policy, role)
    return AgentLog("read", failure=entry, denied=(entry,))


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("endpoint-policy", "endpoint-policy-denies"),
        ("scp", "scp-denies"),
        ("permissions-boundary", "role-lacks-permission"),
        ("", "role-lacks-permission"),
    ],
)
def test_the_policy_that_the_agents_log_names_counts_like_ours(policy: str, code: str) -> None:
    world = healthy(
        permission=Permission("ok", 200), agent=LONG_UP, agent_log=refused(policy), channel=DEAD
    )
    verdict, causes = diagnose(world)
    assert [c.code for c in causes] == [code]
    if code == "endpoint-policy-denies":
        assert verdict.services == ("ssmmessages",)


@pytest.mark.parametrize("policy", ["endpoint-policy", "scp"])
def test_policies_of_endpoint_and_organization_bind_default_host_management_too(
    policy: str,
) -> None:
    managed = replace(LONG_UP, identity=HOST_MANAGEMENT)
    world = healthy(agent=managed, agent_log=refused(policy), channel=DEAD)
    assert found(world)[0][0] in ("endpoint-policy-denies", "scp-denies")


def test_two_refusals_by_two_policies_are_two_causes() -> None:
    world = replace(denied("endpoint-policy"), agent_log=refused("identity-policy"))
    assert [c for c, _ in found(world)] == ["role-lacks-permission", "endpoint-policy-denies"]


def test_what_was_refused_to_a_former_role_is_not_blamed_on_todays() -> None:
    world = healthy(
        permission=Permission("ok", 200),
        agent=LONG_UP,
        agent_log=refused(role="old-role"),
        channel=DEAD,
    )
    assert found(world) == [("agent-backing-off", WARN)]


def test_a_sleeping_agent_that_was_refused_is_told_what_its_role_may_still_lack() -> None:
    log = refused(service="ssm")
    world = healthy(permission=Permission("ok", 200), agent=LONG_UP, agent_log=log, channel=DEAD)
    verdict, _ = diagnose(world)
    assert verdict.code == "agent-backing-off"
    assert "ssm:CreateControlChannel" in verdict.summary


def test_who_may_not_read_the_agents_state_does_not_accuse_the_role() -> None:
    hidden = agent(identity=AgentIdentity(unreadable=True))
    world = replace(denied("identity-policy"), agent=hidden, unanswered={"permission": "rights"})
    assert found(world) == [("could-not-tell", UNKNOWN)]


def test_a_policy_is_named_only_where_the_service_names_it() -> None:
    verdict, causes = diagnose(denied(""))
    assert [c.code for c in causes] == ["role-lacks-permission"]
    text = " ".join(verdict.remedy)
    for possible in ("permissions boundary", "endpoint policies", "service control policies"):
        assert possible in text


def test_a_role_that_lately_reported_is_only_suspicious_beside_another_cause() -> None:
    """What we ask is not what the agent needs most: a lean policy may lack it."""
    proof = AgentIdentity(credential_source="EC2", credentials_retrieved=NOW - 600)
    world = replace(paths("timeout"), permission=denied("").permission, agent=agent(identity=proof))
    assert found(world) == [("endpoint-blocked", FAIL), ("role-lacks-permission", WARN)]
    alone = replace(denied(""), agent=agent(identity=proof))
    assert found(alone) == [("role-lacks-permission", FAIL)]


def test_a_refusal_in_the_log_counts_until_we_see_otherwise_ourselves() -> None:
    entry = LogEntry(NOW - 600, "access-denied", "refused", "ssm:UpdateInstanceInformation")
    log = AgentLog("read", failure=entry, denied=(entry,))
    world = healthy(agent=LONG_UP, agent_log=log, channel=DEAD)
    assert found(world) == [("role-lacks-permission", FAIL)]
    allowed = replace(world, permission=Permission("ok", 200))
    assert found(allowed) == [("agent-backing-off", WARN)]
    messages = replace(entry, action="ssmmessages:CreateControlChannel")
    log = AgentLog("read", failure=messages, denied=(messages,))
    assert found(replace(allowed, agent_log=log)) == [("role-lacks-permission", FAIL)]


def compared(world: Observed, usable: bool = True) -> Observed:
    """The VPC's own resolver has private addresses."""
    tcp = "ok" if usable else "timeout"
    answers = {
        s: Comparison(
            ServerAnswer("169.254.169.253", "ok", ADDRESSES[s]),
            Path(tuple(connection(a, tcp=tcp) for a in ADDRESSES[s])),
        )
        for s in BOTH
    }
    return replace(world, comparisons=answers)


@pytest.mark.parametrize(
    ("world", "code"),
    [
        (names("nxdomain"), "dns-not-found"),
        (names("no-address"), "dns-not-found"),
        (names("servfail"), "dns-failing"),
        (names("refused"), "dns-failing"),
        (paths("timeout", "public"), "endpoint-missing"),
    ],
)
def test_a_foreign_resolver_beats_what_its_answer_leads_to(world: Observed, code: str) -> None:
    """Only where the private addresses of the VPC's own resolver work."""
    assert found(world) == [(code, FAIL)]
    assert found(compared(world)) == [("dns-split", FAIL)]
    assert found(compared(world, usable=False)) == [(code, FAIL)]


def test_a_foreign_resolver_with_public_addresses_that_work_is_a_warning() -> None:
    world = with_path(healthy(), "ssm", connection("52.94.0.10", "public"))
    assert found(world) == [("endpoint-public", WARN)]
    only = {"ssm": compared(world).comparisons["ssm"]}
    assert found(replace(world, comparisons=only)) == [("dns-split", WARN)]


@pytest.mark.parametrize(
    "seen",
    [
        connection("10.0.9.9", tcp="timeout"),
        connection("10.0.9.9", tcp="refused"),
        connection("10.0.9.9", tcp="no-route"),
        connection("52.94.0.9", "public", tcp="timeout"),
        connection("10.0.9.9", tls="wrong-name", error="another name"),
        connection("10.0.9.9", tls="untrusted", error="self-signed"),
    ],
)
def test_the_hosts_file_beats_whatever_the_pinned_address_does(seen: object) -> None:
    world = pinned()
    for service in BOTH:
        name = world.names[service]
        world = replace(
            with_path(world, service, seen),  # type: ignore[arg-type]
            names={**world.names, service: name},
        )
        world = replace(world, names={**world.names, service: name})
    world = replace(world, names=pinned().names)
    assert found(world) == [("hosts-override", FAIL)]


def test_a_pin_beside_what_fails_anyway_is_only_a_warning() -> None:
    """What DNS says fails as well: the line is not what is wrong."""
    world = pinned()
    shut = Path(tuple(connection(a, tcp="timeout") for a in ADDRESSES["ssm"]))
    same = {s: Comparison(ServerAnswer("10.0.0.2", "ok", ADDRESSES[s]), shut) for s in BOTH}
    assert found(replace(world, comparisons=same)) == [
        ("endpoint-blocked", FAIL),
        ("hosts-override", WARN),
    ]


def test_an_old_agents_ec2messages_that_is_sent_astray_is_explained_by_that() -> None:
    old = healthy("ssm", "ssmmessages", "ec2messages", agent=agent("3.2.2303.0"), channel=DEAD)
    world = with_path(old, "ec2messages", connection("10.0.9.9", tcp="timeout"))
    said = (ServerAnswer("10.0.0.2", "ok", ADDRESSES["ec2messages"]),)
    name = Name(host("ec2messages"), "ok", ("10.0.9.9",), "ok", said, pinned=("10.0.9.9",))
    world = replace(world, names={**world.names, "ec2messages": name})
    assert found(world) == [("hosts-override", FAIL)]


def test_a_check_that_fails_without_a_cause_is_never_green() -> None:
    """A last guard, for whatever nobody thought of."""
    verdict, causes = diagnose(healthy(failed={"permission": "refused"}))
    assert [(c.code, c.status) for c in causes] == [("could-not-tell", UNKNOWN)]
    assert "permission" in verdict.summary
    warned = healthy(failed={"disk": "full"}, disk=(Volume("/tmp", read_only=True),))
    assert found(warned) == [("disk-full", WARN)]


def test_a_side_is_named_only_by_a_control_on_the_same_port() -> None:
    world = with_path(healthy(channel=DEAD), "ssm", connection("10.0.1.10", tcp="timeout"))
    assert diagnose(world)[0].reason == "endpoint-side"
    endpoint = replace(world.endpoints["ssm"], port=8443)
    other = replace(world, endpoints={**world.endpoints, "ssm": endpoint})
    verdict, _ = diagnose(other)
    assert verdict.reason == "either-side"
    assert "8443" in verdict.summary
    assert all("443" not in line.replace("8443", "") for line in verdict.remedy)


def test_an_instance_without_ipv4_is_told_that_the_endpoints_have_nothing_else() -> None:
    world = paths("no-route")
    instance = replace(world.instance, local_ipv4="")
    verdict, _ = diagnose(replace(world, imds=Imds("ok", instance=instance)))
    assert (verdict.code, verdict.reason) == ("no-route", "ipv4-only")
    assert any("--ip-address-type dualstack" in line for line in verdict.remedy)


def test_a_pin_that_cannot_be_compared_accuses_nobody() -> None:
    """DNS is silent: then what the address does counts as ever."""
    world = with_path(healthy(channel=DEAD), "ssm", connection("10.0.9.9", tcp="timeout"))
    name = Name(host("ssm"), "ok", ("10.0.9.9",), "ok", pinned=("10.0.9.9",))
    assert found(replace(world, names={**world.names, "ssm": name})) == [("endpoint-blocked", FAIL)]


def test_direct_failures_do_not_matter_to_an_agent_behind_a_proxy() -> None:
    world = replace(paths("timeout"), proxies=dict.fromkeys(BOTH, PROXY))
    assert found(replace(world, tunnels=WORLDS["proxy-refuses"].tunnels)) == [
        ("proxy-refuses", FAIL)
    ]


def test_no_channel_is_no_fault_of_a_young_updating_or_proxied_agent() -> None:
    quiet = AgentLog("read")
    world = healthy(agent=LONG_UP, agent_log=quiet, channel=DEAD)
    assert found(world) == [("agent-not-connected", WARN)]
    young = replace(LONG_UP, processes=(Process(100, LONG_UP.installs[0].path, started=NOW - 60),))
    assert found(replace(world, agent=young)) == []
    assert found(replace(world, agent=replace(LONG_UP, updating=True))) == []
    assert found(replace(world, channel=UNSEEN)) == []
    opened = Path((connection("10.0.0.99"),))
    tunnels = {s: replace(WORLDS["proxy-refuses"].tunnels["ssm"], state="ok") for s in BOTH}
    tunnels = {s: replace(t, connection=opened.connections[0]) for s, t in tunnels.items()}
    proxied = replace(world, proxies=dict.fromkeys(BOTH, PROXY), tunnels=tunnels)
    assert found(proxied) == []


def test_a_sleeping_agent_is_a_cause_only_when_nothing_else_is() -> None:
    asleep = healthy(agent=LONG_UP, agent_log=ASLEEP, channel=DEAD)
    assert found(asleep) == [("agent-backing-off", WARN)]
    assert "until about" in diagnose(asleep)[0].summary
    assert found(replace(asleep, role=Role("no-profile"))) == [("role-missing", FAIL)]
    assert found(replace(asleep, channel=ALIVE)) == []
    assert found(replace(asleep, agent=replace(LONG_UP, updating=True))) == []
    silent = replace(ASLEEP, retry_at=None, asleep_since=None, retries_silenced=True)
    verdict, _ = diagnose(replace(asleep, agent_log=silent))
    assert verdict.reason == "silent"


def test_an_update_under_way_is_waited_for() -> None:
    stopped = agent(running=False, updating=True)
    verdict, _ = diagnose(healthy(agent=stopped, channel=DEAD))
    assert (verdict.code, verdict.reason) == ("could-not-tell", "agent-updating")
    replaced = replace(WORLDS["agent-restart-needed"].agent, updating=True)  # type: ignore[type-var]
    assert found(replace(WORLDS["agent-restart-needed"], agent=replaced)) == []


def test_only_a_live_socket_makes_a_failure_latent() -> None:
    """A line in the log says what was, not what is."""
    closed = paths("timeout")
    assert [c for c, _ in found(replace(closed, channel=ALIVE))] == [
        "endpoint-blocked",
        "latent-failure",
    ]
    by_log = replace(ALIVE, by="log")
    assert [c for c, _ in found(replace(closed, channel=by_log))] == ["endpoint-blocked"]


def test_a_latent_failure_never_stands_alone() -> None:
    warned = tls("failed")
    assert found(replace(warned, channel=ALIVE)) == [("tls-failed", WARN)]


def test_state_of_another_instance_is_a_note_and_a_hybrid_node_a_cause() -> None:
    assert found(healthy(agent=agent(identity=AgentIdentity(registered_id="i-0fedcba9")))) == []
    assert found(healthy(agent=agent(identity=AgentIdentity(instance_id="mi-0fedcba9"))))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"unit_file_state": "disabled"}, "agent-not-enabled"),
        ({"unit_file_state": "masked"}, "agent-not-enabled"),
        ({"unit_file_state": "masked-runtime"}, "agent-not-enabled"),
        ({"unit_file_state": "enabled-runtime"}, "agent-not-enabled"),
        ({"unit_file_state": "enabled"}, "healthy"),
        ({"unit_file_state": "static"}, "healthy"),
        ({"unit_file_state": "", "load_state": "not-found"}, "healthy"),
    ],
)
def test_what_starts_the_agent_only_until_the_next_boot_is_told(
    changes: dict[str, str], code: str
) -> None:
    unit = replace(UNIT, **changes)  # type: ignore[arg-type]
    assert diagnose(healthy(agent=agent(unit=unit)))[0].code == code


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"active_state": "activating", "sub_state": "start-pre"}, "restarting"),
        ({"active_state": "inactive", "unit_file_state": "masked-runtime"}, "masked"),
        ({"active_state": "inactive", "load_state": "not-found", "unit_file_state": ""}, "no-unit"),
        ({"active_state": "failed", "unit_file_state": "disabled"}, "failed"),
    ],
)
def test_why_it_does_not_run(changes: dict[str, str], reason: str) -> None:
    stopped = agent(running=False, unit=replace(UNIT, **changes))  # type: ignore[arg-type]
    verdict, _ = diagnose(healthy(agent=stopped, channel=DEAD))
    assert (verdict.code, verdict.reason) == ("agent-not-running", reason)
    assert ", ," not in " ".join(verdict.evidence)


def test_only_a_live_socket_tells_a_security_group_from_a_network_acl() -> None:
    """What its log said of the channel may be over."""
    closed = paths("timeout")
    for by, told in (("socket", True), ("log", False)):
        verdict, _ = diagnose(replace(closed, channel=replace(ALIVE, by=by)))
        assert ("not a network ACL" in " ".join(verdict.evidence)) is told
