"""Where one verdict ends and the next begins: each condition just met, and just not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentcheck.diagnosis import diagnose
from agentcheck.diagnosis.notes import notes
from agentcheck.model import FAIL, UNKNOWN, WARN
from agentcheck.observations import (
    NO_EC2MESSAGES,
    AgentIdentity,
    Comparison,
    Imds,
    Observed,
    Path,
    Permission,
    ServerAnswer,
    Version,
)
from tests.diagnosis.catalogue import (
    ASLEEP,
    BOTH,
    LONG_UP,
    WORLDS,
    denied,
    names,
    paths,
    pinned,
    through,
    tls,
)
from tests.worlds import (
    ADDRESSES,
    ALIVE,
    DEAD,
    INSTANCE,
    NOW,
    agent,
    connection,
    healthy,
    with_name,
    with_path,
)


def found(world: Observed, **how: Any) -> list[tuple[str, str]]:
    return [(cause.code, cause.status) for cause in diagnose(world, **how)[1]]


@pytest.mark.parametrize(
    ("identity", "status"),
    [
        ({}, WARN),
        ({"instance_id": INSTANCE.instance_id}, WARN),
        ({"instance_id": "i-0fedcba9876543210"}, FAIL),
        ({"credential_source": "SSM"}, FAIL),
        ({"credentials_retrieved": None}, FAIL),
        ({"credentials_retrieved": NOW}, WARN),
        ({"credentials_retrieved": NOW - 3599}, WARN),
        ({"credentials_retrieved": NOW - 3600}, FAIL),
        ({"credentials_retrieved": NOW + 1}, FAIL),
    ],
)
def test_what_proves_that_the_role_lately_sufficed(identity: dict[str, Any], status: str) -> None:
    """Its own credentials, on this instance, within the last hour: else the role is accused."""
    kept = AgentIdentity(credential_source="EC2", credentials_retrieved=NOW - 600)
    world = replace(
        paths("timeout"),
        permission=denied("").permission,
        agent=agent(identity=replace(kept, **identity)),
    )
    assert ("role-lacks-permission", status) in found(world)


def test_an_instance_that_does_not_know_its_id_takes_the_agents_word() -> None:
    kept = AgentIdentity("i-1", credential_source="EC2", credentials_retrieved=NOW - 600)
    world = replace(paths("timeout"), permission=denied("").permission, agent=agent(identity=kept))
    nameless = replace(world, imds=Imds("ok", instance=replace(INSTANCE, instance_id="")))
    assert ("role-lacks-permission", WARN) in found(nameless)


@pytest.mark.parametrize(
    ("world", "latent"),
    [
        (names("nxdomain"), True),
        (paths("timeout"), True),
        (through("timeout"), True),
        (through("denied", 403), True),
        (replace(names("nxdomain"), names={}), False),
        (replace(healthy(), paths={}), False),
        (tls("hangs"), True),
    ],
)
def test_an_old_channel_is_latent_where_new_connections_were_tried_and_failed(
    world: Observed, latent: bool
) -> None:
    codes = [code for code, _ in found(replace(world, channel=ALIVE))]
    assert ("latent-failure" in codes) is latent


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"same_subnet": True, "connect_s": 3.1}, "no-neighbour"),
        ({"same_subnet": True, "connect_s": 1.1}, "no-neighbour"),
        ({"same_subnet": True, "connect_s": 1.0}, "no-route"),
        ({"same_subnet": False, "connect_s": 3.1}, "no-route"),
    ],
)
def test_nobody_at_an_address_shows_on_the_local_network_and_after_a_while(
    changes: dict[str, Any], reason: str
) -> None:
    assert diagnose(paths("no-route", **changes))[0].reason == reason


def test_the_reason_of_several_is_that_of_the_first() -> None:
    mixed = with_path(paths("no-route"), "ssmmessages", connection("10.0.1.11", tcp="prohibited"))
    assert diagnose(mixed)[0].reason == "no-route"
    tunnels = dict(through("timeout").tunnels)
    other = replace(tunnels["ssmmessages"], state="refused", proxy="http://10.0.0.98:1")
    world = replace(through("timeout"), tunnels={**tunnels, "ssmmessages": other})
    verdict, _ = diagnose(replace(world, paths=paths("timeout").paths))
    assert (verdict.code, verdict.reason) == ("proxy-unreachable", "timeout")
    assert "10.0.0.99" in verdict.summary
    assert "10.0.0.99" in verdict.remedy[0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(407, "authentication"), (403, "forbidden"), (499, "forbidden"), (500, "cannot-reach")],
)
def test_what_a_proxys_refusal_means(status: int, reason: str) -> None:
    assert diagnose(through("denied", status))[0].reason == reason


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        (60.0, []),
        (61.0, [("clock-skew", WARN)]),
        (-300.0, [("clock-skew", WARN)]),
        (301.0, [("clock-skew", FAIL)]),
    ],
)
def test_from_when_on_a_clock_is_wrong(offsets: float, expected: list[tuple[str, str]]) -> None:
    assert found(healthy(clock_offsets={"imds": offsets, "ssm": offsets})) == expected


def test_a_clock_excuses_a_certificate_that_is_valid_at_the_true_time() -> None:
    skewed = {"imds": 30000.0, "ssm": 30000.0}
    for begins, codes in ((NOW + 30000, ["clock-skew"]), (NOW + 30001, ["clock-skew", "tls"])):
        world = tls("not-yet-valid")
        for service in BOTH:
            seen = [
                replace(c, certificate=replace(c.certificate, not_before=begins, not_after=9e9))
                for c in world.paths[service].connections
                if c.certificate
            ]
            world = with_path(world, service, *seen)
        got = [code for code, _ in found(replace(world, clock_offsets=skewed))]
        assert [code.replace("tls-certificate-expired", "tls") for code in got] == codes


def test_a_sleep_that_ends_now_is_over() -> None:
    log = replace(ASLEEP, retry_at=NOW)
    verdict, _ = diagnose(healthy(agent=LONG_UP, agent_log=log, channel=DEAD))
    assert verdict.reason == "retrying"


@pytest.mark.parametrize(("apart", "told"), [(60.0, False), (60.5, True), (61.0, True)])
def test_clocks_that_disagree_by_more_than_a_minute_are_a_note(apart: float, told: bool) -> None:
    world = healthy(clock_offsets={"imds": 0.0, "ssm": apart})
    assert ("clocks-disagree" in [note.code for note in notes(world)]) is told


def test_a_pin_breaks_things_unless_what_dns_says_was_tried_and_fails_too() -> None:
    untried = {s: Comparison(ServerAnswer("10.0.0.2", "ok", ADDRESSES[s])) for s in BOTH}
    assert found(replace(pinned(), comparisons=untried)) == [("hosts-override", FAIL)]


def test_an_optional_endpoint_that_was_not_looked_at_is_no_note() -> None:
    world = healthy("ssm", "ssmmessages", "kms")
    kms = replace(world.endpoints["kms"], required=False)
    seen = {service: name for service, name in world.names.items() if service != "kms"}
    world = replace(
        world,
        endpoints={**world.endpoints, "kms": kms},
        names=seen,
        paths={service: path for service, path in world.paths.items() if service != "kms"},
    )
    assert not list(notes(world))


def test_dead_ipv6_is_told_of_a_later_service_too() -> None:
    dead = connection("2600:1f18::10", tcp="timeout")
    world = with_path(healthy(), "ssmmessages", connection("10.0.1.11"), dead)
    world = replace(world, paths={"ssm": Path(()), "ssmmessages": world.paths["ssmmessages"]})
    assert [note.code for note in notes(world)] == ["dead-ipv6"]


def test_of_a_part_only_what_was_tried_must_be_explained() -> None:
    untried = replace(healthy(), paths={})
    assert found(untried, complete=False) == []
    tried = replace(healthy(), paths={"ssm": Path(())})
    assert found(tried, complete=False) == [("could-not-tell", UNKNOWN)]


def test_a_check_about_a_service_that_a_cause_names_is_explained() -> None:
    world = with_path(healthy(channel=DEAD), "ssm", connection("10.0.1.10", tcp="timeout"))
    assert found(replace(world, failed={"odd.ssm": "x"})) == [("endpoint-blocked", FAIL)]
    warned = WORLDS["endpoint-public"]
    assert found(replace(warned, failed={"odd.ssm": "x"})) == [("endpoint-public", WARN)]
    other = found(replace(warned, failed={"odd.kms": "x"}))
    assert other == [("could-not-tell", UNKNOWN), ("endpoint-public", WARN)]


def test_a_warning_that_explains_nothing_leaves_a_broken_endpoint_unexplained() -> None:
    asleep = healthy(agent=LONG_UP, agent_log=ASLEEP, channel=DEAD)
    assert found(replace(asleep, paths={})) == [("could-not-tell", UNKNOWN)]


@pytest.mark.parametrize(
    ("installed", "running", "restart"),
    [
        (NO_EC2MESSAGES, Version(3, 2, 1, 0), True),
        (Version(3, 3, 39, 9), Version(3, 2, 1, 0), False),
        (Version(3, 2, 1, 0), None, False),
    ],
)
def test_a_new_agent_that_is_installed_only_needs_a_restart(
    installed: Version, running: Any, restart: bool
) -> None:
    had = agent(str(installed), running_version=running)
    world = with_name(
        healthy(*BOTH, "ec2messages", agent=had, channel=DEAD), "ec2messages", "nxdomain"
    )
    verdict, _ = diagnose(world)
    assert verdict.code == "agent-needs-ec2messages"
    assert verdict.remedy[0].startswith("Restart the agent" if restart else "Upgrade the agent")


@pytest.mark.parametrize("no_proxy", ["169.254.169.254", "169.254.169.254:80", "169.254.0.0/16"])
def test_a_proxy_that_leaves_imds_out_is_none_before_it(no_proxy: str) -> None:
    had = agent(environment={"http_proxy": "http://10.0.0.99:3128", "no_proxy": no_proxy})
    assert found(healthy(agent=had)) == []


def test_where_imds_was_not_asked_no_proxy_is_said_to_cover_it() -> None:
    had = agent(environment={"http_proxy": "http://10.0.0.99:3128"})
    assert "agent-proxy-covers-imds" not in dict(found(healthy(agent=had, imds=None)))


def test_a_refused_token_is_no_matter_of_the_clock_up_to_five_minutes() -> None:
    token = Permission("expired", 400, "ExpiredTokenException", "HTTP 400")
    for offset, code in ((300.0, "credentials-expired"), (301.0, "clock-skew")):
        off = {"imds": offset, "ssm": offset}
        assert found(healthy(permission=token, clock_offsets=off, channel=DEAD))[0] == (code, FAIL)


def test_an_optional_endpoint_that_works_is_no_note() -> None:
    world = healthy("ssm", "ssmmessages", "kms")
    kms = replace(world.endpoints["kms"], required=False)
    assert not list(notes(replace(world, endpoints={**world.endpoints, "kms": kms})))


def test_the_first_of_two_refusals_of_a_proxy_is_told() -> None:
    tunnels = dict(through("denied", 407).tunnels)
    other = replace(tunnels["ssmmessages"], status=403, proxy="http://10.0.0.98:1")
    verdict, _ = diagnose(
        replace(through("denied", 407), tunnels={**tunnels, "ssmmessages": other})
    )
    assert verdict.reason == "authentication"
    assert "10.0.0.99" in verdict.summary


def test_a_warning_about_the_clock_explains_no_check() -> None:
    world = healthy(clock_offsets={"imds": 61.0, "ssm": 61.0}, failed={"odd": "x"})
    assert found(world) == [("could-not-tell", UNKNOWN), ("clock-skew", WARN)]


@pytest.mark.parametrize(
    ("code", "check"),
    [
        ("disk-full", "disk"),
        ("agent-missing", "agent.installed"),
        ("imds-disabled", "imds"),
        ("role-missing", "role"),
        ("proxy-refuses", "proxy.ssm"),
        ("dns-failing", "dns.ssm"),
        ("hosts-override", "dns.ssm"),
        ("no-route", "tcp.ssm"),
        ("endpoint-missing", "tcp.ssm"),
        ("tls-failed", "tls.ssm"),
        ("agent-outdated", "agent.version"),
        ("scp-denies", "permission"),
        ("agent-not-connected", "agent.channel"),
        ("image-lacks-service", "image.clock"),
    ],
)
def test_with_only_a_layer_is_accused_by_its_own_checks(code: str, check: str) -> None:
    for asked, told in ((check, True), ("odd", False)):
        codes = dict(found(WORLDS[code], complete=False, asked=frozenset({asked})))
        assert (code in codes) is told


ORDER = ["untrusted", "wrong-name", "expired", "not-tls", "hangs", "cut", "failed"]


@pytest.mark.parametrize(("first", "then"), list(zip(ORDER, ORDER[1:])))
def test_of_two_troubles_in_tls_the_graver_is_told(first: str, then: str) -> None:
    def both(*states: str) -> Any:
        seen = [connection(f"10.0.1.{n}", tls=s, error=s) for n, s in enumerate(states)]
        return diagnose(with_path(healthy(channel=DEAD), "ssm", *seen))[0]

    told, other = both(first, then), both(then, first)
    assert (told.code, told.reason) == (other.code, other.reason)
    assert (told.code, told.reason) == (both(first).code, both(first).reason)


PLACEHOLDERS = {
    INSTANCE.instance_id: "INSTANCE_ID",
    INSTANCE.vpc_id: "VPC_ID",
    INSTANCE.subnet_id: "SUBNET_ID",
    INSTANCE.security_groups[0]: "INSTANCE_SECURITY_GROUP",
    INSTANCE.region: "REGION",
}
AT_HOME = [code for code, world in WORLDS.items() if world.imds and world.imds.state == "ok"]


@pytest.mark.parametrize("code", AT_HOME)
def test_a_command_has_words_in_capitals_for_what_the_instance_does_not_know(code: str) -> None:
    world = WORLDS[code]
    known = replace(INSTANCE, **dict.fromkeys(NOT_KNOWN, ""), security_groups=())
    nameless = replace(world, imds=Imds("ok", instance=known))
    for cause, other in zip(diagnose(world)[1], diagnose(nameless)[1]):
        assert cause.code == other.code
        for line, without in zip(cause.remedy, other.remedy):
            command = line[line.index("aws ") :] if "aws " in line else ""
            for value, word in PLACEHOLDERS.items():
                command = command.replace(value, word)
            assert without.endswith(command)


NOT_KNOWN = ("instance_id", "vpc_id", "subnet_id", "region")
