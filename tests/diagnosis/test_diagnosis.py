"""The diagnosis: few causes, in order, each with evidence, never green on a broken instance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentcheck.diagnosis import CODES, ROWS, diagnose
from agentcheck.diagnosis.notes import notes
from agentcheck.model import FAIL, OK, UNKNOWN, WARN
from agentcheck.observations import (
    AgentConfig,
    AgentIdentity,
    Certificate,
    Imds,
    Machine,
    Name,
    Observed,
    Policy,
    Role,
    ServerAnswer,
    TrustStore,
    Unit,
)
from tests import worlds
from tests.diagnosis.catalogue import WORLDS
from tests.worlds import (
    ALIVE,
    DEAD,
    NOW,
    UNSEEN,
    agent,
    connection,
    healthy,
    stores,
    with_name,
    with_path,
)


def codes(world: Observed, complete: bool = True) -> list[str]:
    """The verdict's code, then those of the other causes."""
    verdict, causes = diagnose(world, complete)
    return [verdict.code, *(cause.code for cause in causes[1:])]


def blocked(world: Observed, service: str) -> Observed:
    silent = [connection(a, tcp="timeout") for a in worlds.ADDRESSES[service]]
    return with_path(world, service, *silent)


def unit(**changes: str) -> Unit:
    made = Unit(
        "amazon-ssm-agent.service", "loaded", "inactive", "dead", "enabled", "success", "always", 0,
        "0", "",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def test_every_row_has_its_place_in_the_catalogue() -> None:
    assert set(ROWS) <= set(CODES)
    assert list(ROWS) == [code for code in CODES if code in ROWS]
    assert len(CODES) == len(set(CODES))


def test_the_codes_stand_in_the_order_of_their_worlds() -> None:
    """Which is public, and written down apart: in the catalogue of worlds."""
    order = list(WORLDS)
    order.insert(order.index("not-ec2"), "partial")
    order.insert(order.index("agent-backing-off"), "latent-failure")
    assert list(CODES) == order


def test_a_healthy_instance_is_healthy_and_a_part_of_it_partial() -> None:
    assert codes(healthy()) == ["healthy"]
    assert codes(healthy(), complete=False) == ["partial"]
    assert not list(notes(healthy()))


def test_independent_causes_are_all_listed_the_most_fundamental_first() -> None:
    world = blocked(blocked(healthy(), "ssm"), "ssmmessages")
    world = replace(world, role=Role("no-profile"), agent=agent(running=False), channel=DEAD)
    assert codes(world) == ["agent-not-running", "role-missing", "endpoint-blocked"]


def test_a_failure_comes_before_an_unknown_and_that_before_a_warning() -> None:
    world = replace(blocked(healthy(), "ssm"), unanswered={"role": "error"})
    world = replace(world, clock_offsets={"imds": 100.0, "ssm": 100.0})
    assert codes(world) == ["endpoint-blocked", "could-not-tell", "clock-skew"]


def test_nothing_is_said_of_a_machine_that_is_no_instance() -> None:
    laptop = Observed(
        now=NOW,
        machine=Machine(False, "QEMU"),
        imds=Imds("unreachable", "timeout", "no answer"),
        agent=replace(agent(), installs=(), processes=()),
    )
    verdict, causes = diagnose(laptop)
    assert (verdict.code, verdict.status, len(causes)) == ("not-ec2", UNKNOWN, 1)
    forced = replace(laptop, policy=Policy(on_ec2="yes"))
    assert codes(forced) == ["agent-missing", "imds-unreachable"]


@pytest.mark.parametrize("is_ec2", [True, None])
def test_a_shut_metadata_service_alone_makes_no_foreign_machine(is_ec2: bool) -> None:
    world = Observed(
        now=NOW,
        machine=Machine(is_ec2),
        imds=Imds("unreachable", "timeout", "no answer"),
        agent=agent(),
        channel=DEAD,
    )
    assert codes(world) == ["imds-unreachable"]


def test_who_may_not_see_the_channel_does_not_accuse_the_metadata_service() -> None:
    world = Observed(
        now=NOW, imds=Imds("unreachable", "refused", "no"), agent=agent(), channel=UNSEEN
    )
    user, _ = diagnose(replace(world, machine=Machine(True, uid=990)))
    root, _ = diagnose(replace(world, machine=Machine(True, uid=0)))
    assert (user.status, root.status) == (UNKNOWN, FAIL)


def test_an_agent_that_is_connected_shows_that_only_our_user_is_shut_out() -> None:
    world = Observed(
        now=NOW,
        machine=Machine(True, uid=990),
        imds=Imds("unreachable", "timeout", "no answer"),
        agent=agent(),
        channel=ALIVE,
    )
    verdict, _ = diagnose(world)
    assert (verdict.code, verdict.status) == ("imds-unreachable", UNKNOWN)
    assert "uid 990" in verdict.summary


@pytest.mark.parametrize(
    ("changes", "reason", "expected"),
    [
        ({"unit_file_state": "disabled"}, "disabled", ["agent-not-running", "imds-disabled"]),
        ({"load_state": "masked"}, "masked", ["agent-not-running", "imds-disabled"]),
        ({"active_state": "failed"}, "failed", ["imds-disabled"]),
        ({"sub_state": "auto-restart"}, "restarting", ["imds-disabled"]),
        ({}, "stopped", ["imds-disabled"]),
    ],
)
def test_without_imds_the_agent_ends_by_itself_but_is_not_disabled_by_it(
    changes: dict[str, str], reason: str, expected: list[str]
) -> None:
    stopped = agent(running=False, unit=unit(**changes))
    verdict, _ = diagnose(replace(healthy(), agent=stopped, channel=DEAD))
    assert (verdict.code, verdict.reason) == ("agent-not-running", reason)
    world = Observed(now=NOW, imds=Imds("disabled", error="403"), agent=stopped, channel=DEAD)
    assert codes(world) == expected


def test_a_broken_configuration_explains_an_agent_that_does_not_run() -> None:
    config = AgentConfig("/etc/amazon/ssm/amazon-ssm-agent.json", error="not JSON")
    stopped = agent(running=False, config=config)
    assert codes(replace(healthy(), agent=stopped, channel=DEAD)) == ["agent-misconfigured"]


def pins(endpoint: str) -> AgentConfig:
    return AgentConfig("p", endpoints={"ssm": endpoint})


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (AgentConfig("p", region="eu-west-1"), "region"),
        (AgentConfig("p", messages_region="eu-west-1"), "region"),
        (pins("ssm.eu-west-1.amazonaws.com"), "endpoint"),
        (pins("https://ec2messages.us-east-1.amazonaws.com"), "endpoint"),
        (pins("vpce-0a-b1.ssm.eu-west-1.vpce.amazonaws.com"), "endpoint"),
    ],
)
def test_a_pinned_region_or_host_of_another_region_is_misconfigured(
    config: AgentConfig, reason: str
) -> None:
    verdict, _ = diagnose(healthy(agent=agent(config=config)))
    assert (verdict.code, verdict.reason) == ("agent-misconfigured", reason)


@pytest.mark.parametrize(
    "endpoint",
    [
        "ssm.us-east-1.amazonaws.com",
        "ssm-fips.us-east-1.amazonaws.com:443",
        "https://vpce-0a-b1-us-east-1a.ssm.us-east-1.vpce.amazonaws.com",
        "ssm.internal.example.com",
        "10.0.1.10",
    ],
)
def test_a_pinned_host_that_may_serve_is_no_fault(endpoint: str) -> None:
    config = AgentConfig("p", endpoints={"ssm": endpoint}, region="us-east-1")
    assert codes(healthy(agent=agent(config=config))) == ["healthy"]


def test_default_host_management_stands_in_for_a_role_until_it_ends() -> None:
    def world(expires: float) -> Observed:
        identity = AgentIdentity(worlds.INSTANCE.instance_id, "EC2", "SSM", expires)
        return healthy(role=Role("no-profile"), agent=agent(identity=identity))

    assert codes(world(NOW + 60)) == ["healthy"]
    assert codes(world(NOW - 60)) == ["role-missing"]


def test_without_the_right_to_read_its_state_a_missing_role_is_not_certain() -> None:
    """Default Host Management may give the agent credentials that only root can see."""
    world = healthy(
        role=Role("no-profile"),
        agent=agent(identity=AgentIdentity(unreadable=True)),
        unanswered={"role": "no rights"},
    )
    assert codes(world) == ["could-not-tell"]


def test_without_the_right_to_see_the_channel_an_unknown_version_accuses_nobody() -> None:
    world = healthy("ssm", "ssmmessages", "ec2messages", agent=agent("3.3.0.0"), channel=UNSEEN)
    world = replace(with_name(world, "ec2messages", "nxdomain"), unanswered={"agent.channel": "x"})
    assert codes(world) == ["could-not-tell", "agent-version-unknown"]
    assert codes(replace(world, channel=DEAD, unanswered={})) == [
        "dns-not-found",
        "agent-version-unknown",
    ]


@pytest.mark.parametrize(
    ("offsets", "expected", "status"),
    [
        ({"imds": 59.0, "ssm": 59.0}, "healthy", OK),
        ({"imds": 61.0, "ssm": 61.0}, "clock-skew", WARN),
        ({"imds": -301.0, "ssm": -300.5}, "clock-skew", FAIL),
        ({"imds": 4000.0}, "clock-skew", WARN),
        ({"ssm": 4000.0, "ssmmessages": 4001.0}, "clock-skew", FAIL),
        ({"ssm": 4000.0}, "clock-skew", WARN),
        # A middlebox before the endpoints has a wrong clock, this host does not.
        ({"imds": 0.3, "ssm": 4000.0, "ssmmessages": 4000.0}, "healthy", OK),
    ],
)
def test_a_clock_fails_only_when_two_sources_agree(
    offsets: dict[str, float], expected: str, status: str
) -> None:
    verdict, _ = diagnose(healthy(clock_offsets=offsets))
    assert (verdict.code, verdict.status) == (expected, status)


def expired_tls(world: Observed, not_after: float) -> Observed:
    certificate = Certificate("x", "Amazon", (), NOW - 9e6, not_after)
    for service in ("ssm", "ssmmessages"):
        seen = connection(
            worlds.ADDRESSES[service][0], tls="expired", error="expired", certificate=certificate
        )
        world = with_path(world, service, seen)
    return world


def test_a_wrong_clock_beats_what_it_makes_look_expired_and_nothing_more() -> None:
    behind = {"imds": -7200.0, "ssm": -7200.0}  # this host is two hours ahead
    role = Role("present", "app", "Success", expiration=NOW - 3600)
    assert codes(healthy(role=role)) == ["credentials-expired"]
    imds = Imds("ok", instance=worlds.INSTANCE, clock_offset_s=-7200.0)
    assert codes(healthy(role=role, clock_offsets=behind, imds=imds)) == ["clock-skew"]
    # IMDS dates the credentials: its clock alone says whether they have ended.
    alone = healthy(role=role, clock_offsets={"imds": -7200.0}, imds=imds)
    assert [(c.code, c.status) for c in diagnose(alone)[1]] == [("clock-skew", WARN)]
    no_date = replace(imds, clock_offset_s=None)
    endpoints = {"ssm": -7200.0, "ssmmessages": -7200.0}
    assert codes(healthy(role=role, clock_offsets=endpoints, imds=no_date)) == ["clock-skew"]
    assert codes(expired_tls(healthy(), NOW - 60)) == ["tls-certificate-expired"]
    world = expired_tls(healthy(clock_offsets=behind), NOW - 60)
    assert codes(world) == ["clock-skew"]
    years = expired_tls(healthy(clock_offsets=behind), NOW - 1e8)
    assert codes(years) == ["clock-skew", "tls-certificate-expired"]


def test_who_may_not_see_the_agents_environment_accuses_no_endpoint() -> None:
    """It may go through a proxy: what fails directly is then no fault."""
    blind = agent(environment_hidden=True)
    world = blocked(blocked(healthy(agent=blind), "ssm"), "ssmmessages")
    world = replace(world, channel=UNSEEN, unanswered={"agent.environment": "no rights"})
    assert codes(world) == ["could-not-tell"]
    old = healthy("ssm", "ssmmessages", "ec2messages", agent=agent("3.2.2303.0"), channel=UNSEEN)
    verdict, _ = diagnose(with_name(old, "ec2messages", "nxdomain"))
    assert (verdict.code, verdict.status) == ("agent-needs-ec2messages", UNKNOWN)


def test_the_remedy_for_ec2messages_alone_begins_with_the_upgrade() -> None:
    old = agent("3.2.2303.0")
    world = healthy("ssm", "ssmmessages", "ec2messages", agent=old, channel=DEAD)
    world = blocked(blocked(with_name(world, "ec2messages", "nxdomain"), "ssm"), "ssmmessages")
    _, causes = diagnose(world)
    remedy = {cause.code: cause.remedy[0] for cause in causes}
    assert remedy["dns-not-found"].startswith("Upgrade the agent")
    assert "endpoint-blocked" in remedy


def test_only_what_was_looked_at_is_accused() -> None:
    world = replace(healthy(), agent=replace(agent(), installs=(), processes=()))
    assert diagnose(world, False, frozenset({"role", "imds"}))[0].code == "partial"
    assert diagnose(world, False, frozenset({"agent.installed"}))[0].code == "agent-missing"


def test_evidence_says_of_each_address_what_it_met() -> None:
    world = with_path(
        healthy(),
        "ssm",
        connection("10.0.1.10", tcp="timeout", error="no answer"),
        connection("10.0.2.10", tcp="refused", error="refused"),
    )
    (line,) = diagnose(world)[0].evidence
    assert "no answer: 10.0.1.10" in line
    assert "refused: 10.0.2.10" in line


def test_without_the_networks_of_the_vpc_nothing_is_called_outside_of_it() -> None:
    unknown = replace(worlds.INSTANCE, vpc_cidrs=())
    world = healthy(imds=Imds("ok", instance=unknown))
    world = with_path(world, "ssm", connection("10.0.1.10", "private", "timeout"))
    assert diagnose(world)[0].reason != "peered"


def test_the_family_that_has_a_route_decides() -> None:
    dual = (
        connection("10.0.1.10", tcp="no-route"),
        connection("2600:1f18::1", tcp="timeout", error="no answer"),
    )
    assert diagnose(with_path(healthy(), "ssm", *dual))[0].code == "endpoint-blocked"


def test_a_tls_fault_at_one_address_is_called_one() -> None:
    bad = connection("10.0.1.10", tls="wrong-name", error="wrong name")
    verdict, _ = diagnose(with_path(healthy(), "ssm", bad, connection("10.0.2.10")))
    assert (verdict.code, verdict.reason) == ("endpoint-partly-blocked", "tls")
    assert "TLS" in verdict.summary


def test_a_silent_server_behind_one_that_answers_slows_nothing() -> None:
    world = healthy()
    answers = (ServerAnswer("10.0.0.2", "ok", ("10.0.1.10",)), ServerAnswer("10.0.0.53", "timeout"))
    name = replace(world.names["ssm"], servers=answers)
    assert codes(replace(world, names={**world.names, "ssm": name})) == ["healthy"]
    name = replace(name, servers=answers[::-1])
    assert codes(replace(world, names={**world.names, "ssm": name})) == ["dns-unreachable"]


def test_an_old_agent_needs_ec2messages_only_where_that_alone_is_missing() -> None:
    old = agent("3.2.2303.0")
    world = healthy("ssm", "ssmmessages", "ec2messages", agent=old, channel=DEAD)
    assert codes(world) == ["agent-outdated"]
    lacking = with_name(world, "ec2messages", "nxdomain")
    verdict, _ = diagnose(lacking)
    assert (verdict.code, verdict.status, verdict.services) == (
        "agent-needs-ec2messages",
        FAIL,
        ("ec2messages",),
    )
    verdict, _ = diagnose(replace(lacking, channel=ALIVE))
    assert (verdict.code, verdict.status) == ("agent-needs-ec2messages", WARN)
    all_blocked = blocked(blocked(blocked(world, "ssm"), "ssmmessages"), "ec2messages")
    verdict, causes = diagnose(all_blocked)
    assert (verdict.code, len(causes)) == ("endpoint-blocked", 1)
    assert verdict.services == ("ssm", "ssmmessages", "ec2messages")


@pytest.mark.parametrize("version", ["3.3.0.0", "3.2.0.0"])
def test_a_placeholder_version_is_unknown(version: str) -> None:
    assert codes(healthy(agent=agent(version))) == ["agent-version-unknown"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("nxdomain", "dns-not-found"),
        ("no-address", "dns-not-found"),
        ("servfail", "dns-failing"),
        ("refused", "dns-failing"),
        ("unreachable", "dns-unreachable"),
    ],
)
def test_how_a_name_fails_decides_its_cause(state: str, expected: str) -> None:
    world = with_name(with_name(healthy(), "ssm", state), "ssmmessages", state)
    verdict, causes = diagnose(world)
    assert (verdict.code, verdict.services, len(causes)) == (expected, ("ssm", "ssmmessages"), 1)


def test_one_dead_server_of_two_is_a_warning() -> None:
    answers = (ServerAnswer("10.0.0.53", "timeout"), ServerAnswer("10.0.0.2", "ok", ("10.0.1.10",)))
    name = Name(worlds.host("ssm"), "ok", ("10.0.1.10",), "timeout", answers, 4.5)
    world = healthy()
    verdict, _ = diagnose(replace(world, names={**world.names, "ssm": name}))
    assert (verdict.code, verdict.status) == ("dns-unreachable", WARN)
    assert "10.0.0.53" in verdict.summary


@pytest.mark.parametrize(
    ("scope", "tcp", "expected"),
    [
        ("vpc", "timeout", "endpoint-blocked"),
        ("private", "timeout", "endpoint-blocked"),
        ("public", "timeout", "endpoint-missing"),
        ("vpc", "refused", "endpoint-refused"),
        ("public", "refused", "endpoint-refused"),
        ("vpc", "no-route", "no-route"),
        ("public", "no-route", "no-route"),
        ("public", "prohibited", "no-route"),
    ],
)
def test_scope_and_kind_of_failure_decide_the_cause(scope: str, tcp: str, expected: str) -> None:
    world = healthy()
    for service in ("ssm", "ssmmessages"):
        world = with_path(world, service, connection(worlds.ADDRESSES[service][0], scope, tcp))
    verdict, causes = diagnose(world)
    assert (verdict.code, verdict.services, len(causes)) == (expected, ("ssm", "ssmmessages"), 1)


def test_only_a_control_that_answers_in_the_vpc_names_a_side() -> None:
    one, _ = diagnose(blocked(healthy(), "ssmmessages"))
    both, _ = diagnose(blocked(blocked(healthy(), "ssm"), "ssmmessages"))
    assert (one.reason, both.reason) == ("endpoint-side", "either-side")
    outside = with_path(healthy(), "ssm", connection("10.9.1.10", "private"))
    not_proven, _ = diagnose(blocked(outside, "ssmmessages"))
    assert not_proven.reason == "either-side"


def test_a_public_address_is_a_fault_by_what_the_others_are() -> None:
    public = {s: connection(f"52.94.0.{i}", "public") for i, s in enumerate(("ssm", "ssmmessages"))}
    mixed = with_path(healthy(), "ssmmessages", public["ssmmessages"])
    both = with_path(mixed, "ssm", public["ssm"])
    assert codes(mixed) == ["endpoint-public"]
    assert codes(both) == ["healthy"]
    assert [note.code for note in notes(both)] == ["public-addresses"]
    demanded, _ = diagnose(replace(both, policy=Policy(require_private="yes")))
    assert (demanded.code, demanded.status) == ("endpoint-public", FAIL)
    assert codes(replace(mixed, policy=Policy(require_private="no"))) == ["healthy"]


@pytest.mark.parametrize(
    ("tls", "certificates", "issuer", "expected"),
    [
        ("untrusted", 140, "Corp Inspection CA", "tls-intercepted"),
        ("untrusted", 0, "Corp Inspection CA", "trust-store-empty"),
        ("untrusted", 3, "Amazon, Amazon RSA 2048 M01", "trust-store-empty"),
        ("wrong-name", 140, "Amazon", "tls-wrong-certificate"),
        ("expired", 140, "Amazon", "tls-certificate-expired"),
        ("not-yet-valid", 140, "Amazon", "tls-certificate-expired"),
        ("not-tls", 140, "", "tls-failed"),
        ("hangs", 140, "", "tls-failed"),
        ("cut", 140, "", "tls-failed"),
        ("failed", 140, "", "tls-failed"),
    ],
)
def test_how_tls_fails_decides_its_cause(
    tls: str, certificates: int, issuer: str, expected: str
) -> None:
    certificate = Certificate("x", issuer, ("x",), NOW - 10, NOW + 10) if issuer else None
    world = healthy(trust_stores=stores(TrustStore("bundle", certificates)), channel=DEAD)
    for service in ("ssm", "ssmmessages"):
        seen = connection(worlds.ADDRESSES[service][0], tls=tls, error=tls, certificate=certificate)
        world = with_path(world, service, seen)
    verdict, causes = diagnose(world)
    assert (verdict.code, verdict.services, len(causes)) == (expected, ("ssm", "ssmmessages"), 1)


def test_our_own_crypto_policy_is_a_warning_while_the_agent_is_connected() -> None:
    world = with_path(healthy(), "ssm", connection("10.0.1.10", tls="failed", error="alert"))
    verdict, _ = diagnose(replace(world, channel=ALIVE))
    assert (verdict.code, verdict.status) == ("tls-failed", WARN)


def test_what_nothing_explains_is_never_green() -> None:
    verdict, _ = diagnose(with_path(healthy(), "ssm", connection("10.0.1.10", tcp="failed")))
    assert (verdict.code, verdict.reason) == ("could-not-tell", "unexplained")
    verdict, _ = diagnose(Observed(now=NOW))
    assert verdict.status == UNKNOWN
