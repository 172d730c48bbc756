"""The catalogue, proven in the simulated VPC: every code, what it is confused with, its remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentcheck.diagnosis import CODES
from tests.reports import report_of
from tests.vpc import Vpc, certificates, scenarios
from tests.vpc.artefacts import compiled
from tests.vpc.scenario import (
    SSM,
    SSMMESSAGES,
    VPC_RESOLVER,
    Agent,
    Imds,
    Proxy,
    Resolver,
    Scenario,
)

pytestmark = pytest.mark.vpc

ALL = scenarios()
HEALTHY = Scenario()

# Each pair differs in the one fact that decides between its verdicts.
PAIRS = (
    ("imds-disabled", "imds-unreachable-timeout"),
    ("imds-unreachable-silent", "imds-not-genuine"),
    ("role-missing", "role-missing-dhmc"),
    ("role-missing", "role-missing-empty-profile"),
    ("role-missing-dhmc", "role-missing-dhmc-ended"),
    ("endpoint-missing", "endpoint-blocked"),
    ("endpoint-blocked", "no-route-rejected"),
    ("endpoint-blocked", "endpoint-refused-rejected"),
    ("endpoint-blocked", "endpoint-blocked-one"),
    ("endpoint-blocked-later", "latent-failure"),
    ("endpoint-missing", "healthy-nat"),
    ("endpoint-public", "healthy"),
    ("agent-needs-ec2messages", "healthy-young-agent"),
    ("agent-needs-ec2messages-restart", "healthy-young-agent"),
    ("agent-needs-ec2messages", "agent-needs-ec2messages-connected"),
    ("dns-unreachable", "dns-failing-servfail"),
    ("dns-not-found-resolver", "dns-failing-refused"),
    ("dns-split", "dns-not-found-everywhere"),
    ("dns-split", "dns-not-found-no-comparison"),
    ("hosts-override", "healthy-hosts-same"),
    ("tls-intercepted", "tls-wrong-certificate"),
    ("tls-intercepted", "tls-certificate-expired"),
    ("tls-failed-hang", "tls-failed-cut"),
    ("trust-store-empty", "trust-store-unrelated"),
    ("proxy-unreachable", "proxy-refuses"),
    ("proxy-refuses", "tls-intercepted-proxy"),
    ("agent-proxy-covers-imds", "healthy-proxy-http-excluded"),
    ("role-lacks-permission", "endpoint-policy-denies"),
    ("role-lacks-permission", "scp-denies"),
    ("role-lacks-permission", "credentials-rejected"),
    ("role-lacks-permission", "role-lacks-permission-connected"),
    ("role-lacks-permission-unnamed", "role-lacks-permission-explicit"),
    ("role-lacks-permission-connected", "healthy-dhmc-denied-role"),
    ("credentials-rejected", "credentials-expired-token"),
    ("credentials-expired", "clock-skew-ahead"),
    ("agent-hybrid", "healthy-stale-registration-unconnected"),
    ("agent-backing-off", "agent-not-connected-quarter"),
    ("agent-not-running", "healthy"),
    ("agent-not-running", "agent-updating"),
    ("disk-full", "disk-full-connected"),
    ("not-ec2", "two-faults-agent-and-imds"),
)

# One fact in the world may be several in the simulation.
ONE_FACT = (
    {"imds.date_offset", "imds.credentials_lifetime", "endpoints"},  # the instance's clock
    {"agent.version", "agent.package_version"},
    {"imds.profile", "imds.role"},
)


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The leaves in which two worlds differ, what is expected of them aside."""
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        where = f"{path}{field.name}"
        if a == b or where in ("name", "summary", "expect"):
            continue
        if dataclasses.is_dataclass(a) and type(a) is type(b):
            yield from differences(a, b, f"{where}.")
        else:
            yield where


def test_every_code_has_a_scenario() -> None:
    shown = {code for s in ALL.values() for code in (s.expect.code, *s.expect.causes)}
    assert shown == set(CODES)


def test_fifteen_scenarios_have_several_independent_faults() -> None:
    several = [s for name, s in ALL.items() if "faults" in name and len(s.expect.causes) > 1]
    assert len(several) >= 15


@pytest.mark.parametrize(
    ("one", "other"), [pytest.param(*pair, id="/".join(pair)) for pair in PAIRS]
)
def test_confusable_scenarios_differ_in_one_fact(one: str, other: str) -> None:
    """What each of them says is for test_scenarios: here, that no more than one thing differs."""
    a, b = ALL[one], ALL[other]
    found = set(differences(a, b))
    assert len(found) == 1 or found in ONE_FACT, found
    fields = ("code", "status", "services", "causes", "reason", "notes")
    assert [getattr(a.expect, f) for f in fields] != [getattr(b.expect, f) for f in fields]


def changes(**fields: Any) -> Callable[[Vpc], None]:
    return lambda vpc: vpc.update(**fields)


def restarted(agent: Agent = HEALTHY.agent, **fields: Any) -> Callable[[Vpc], None]:
    """The world changes, and the agent starts anew in it."""

    def apply(vpc: Vpc) -> None:
        vpc.update(agent=agent, **fields)
        vpc.stop_agent()
        vpc.start_agent()

    return apply


def put(path: str, text: Any) -> Callable[[Vpc], None]:
    return lambda vpc: vpc.put(path, text)


def install(vpc: Vpc) -> None:
    """A snap of the agent, as snapd would lay it out."""
    folder = "/snap/amazon-ssm-agent/9881"
    program = compiled("agent.c", VERSION="3.3.1611.0").read_bytes()
    for name in ("amazon-ssm-agent", "ssm-agent-worker"):
        vpc.put(f"{folder}/{name}", program, 0o755)
    vpc.put(f"{folder}/meta/snap.yaml", "name: amazon-ssm-agent\nversion: 3.3.1611.0\n")
    assert vpc.run(["ln", "-sfn", "9881", "/snap/amazon-ssm-agent/current"]).returncode == 0
    restarted(Agent(installed="snap"))(vpc)


def unpinned(vpc: Vpc) -> None:
    vpc.put("/etc/amazon/ssm/amazon-ssm-agent.json", None)
    restarted()(vpc)


def trust(vpc: Vpc) -> None:
    authority = (certificates.folder() / "test.crt").read_text()
    vpc.put("/etc/ssl/certs/ca-certificates.crt", authority)


def enabled(name: str) -> Callable[[Vpc], None]:
    def apply(vpc: Vpc) -> None:
        vpc.put(f"{UNITS}/{name}.service", "")
        vpc.put(f"{UNITS}/multi-user.target.wants/{name}.service", "")

    return apply


UNITS = "/etc/systemd/system"
MENDED = restarted(
    imds=Imds(), endpoints=HEALTHY.endpoints, dns=HEALTHY.dns, rules=(), default_route=True
)
HOSTS = put("/etc/hosts", "127.0.0.1 localhost\n")
RESOLV = put("/etc/resolv.conf", f"nameserver {VPC_RESOLVER}\n")
# Scenario: what the remedy says, done.
REMEDIES: dict[str, Callable[[Vpc], None]] = {
    "disk-full": put("/var/lib/amazon/ssm/filler", None),
    "disk-full-inodes": put("/var/lib/amazon/ssm/filler", None),
    "agent-missing": install,
    "agent-missing-dangling-snap": install,
    "agent-misconfigured": unpinned,
    "agent-misconfigured-region": put("/etc/amazon/ssm/amazon-ssm-agent.json", None),
    "agent-not-running": restarted(),
    "agent-hybrid": put("/var/lib/amazon/ssm/registration", None),
    "imds-disabled": restarted(imds=Imds()),
    "imds-unreachable-timeout": restarted(imds=Imds()),
    "imds-unreachable-no-route": restarted(imds_route=True),
    "imds-not-genuine": restarted(imds=Imds()),
    "agent-proxy-covers-imds": restarted(
        Agent(environment={"http_proxy": "http://10.0.0.99:3128", "no_proxy": "169.254.169.254"})
    ),
    "clock-skew": changes(imds=Imds(), endpoints=HEALTHY.endpoints),
    "role-missing": changes(imds=Imds()),
    "role-missing-empty-profile": changes(imds=Imds()),
    "role-not-assumable": changes(imds=Imds()),
    "credentials-expired": changes(imds=Imds()),
    "proxy-unreachable": changes(proxies=(Proxy(),)),
    "proxy-unreachable-direct": restarted(),
    "proxy-refuses": changes(proxies=(Proxy(),)),
    "proxy-refuses-password": restarted(
        Agent(environment={"https_proxy": "http://agent:secret-right@10.0.0.99:3128"})
    ),
    "dns-unreachable": changes(dns=HEALTHY.dns),
    "dns-failing-servfail": changes(dns=HEALTHY.dns),
    "dns-split": RESOLV,
    "dns-not-found": changes(endpoints=HEALTHY.endpoints),
    "hosts-override": HOSTS,
    "no-route": changes(default_route=True),
    "endpoint-missing": changes(endpoints=HEALTHY.endpoints, rules=()),
    "endpoint-missing-one": changes(endpoints=HEALTHY.endpoints, rules=()),
    "endpoint-blocked": changes(rules=()),
    "endpoint-blocked-instance-side": changes(rules=()),
    "endpoint-refused": changes(rules=(), endpoints=HEALTHY.endpoints),
    "trust-store-empty": trust,
    "tls-intercepted": changes(endpoints=HEALTHY.endpoints),
    "tls-wrong-certificate": changes(endpoints=HEALTHY.endpoints),
    "tls-certificate-expired": changes(endpoints=HEALTHY.endpoints),
    "tls-failed-hang": changes(endpoints=HEALTHY.endpoints),
    "agent-needs-ec2messages-restart": restarted(),
    "role-lacks-permission": changes(endpoints=HEALTHY.endpoints),
    "endpoint-policy-denies": changes(endpoints=HEALTHY.endpoints),
    "scp-denies": changes(endpoints=HEALTHY.endpoints),
    "credentials-rejected": changes(endpoints=HEALTHY.endpoints),
    "latent-failure": changes(rules=()),
    "three-faults-agent-role-and-port": MENDED,
    "image-holds-credentials": put("/root/.aws/credentials", None),
    # Warnings, which have remedies too.
    "agent-backing-off": restarted(),
    "agent-not-connected": restarted(),
    "agent-restart-needed": restarted(),
    "endpoint-partly-blocked": changes(rules=()),
    "image-pins-network": put(f"{UNITS}/amazon-ssm-agent.service.d/proxy.conf", None),
    "image-lacks-service": enabled("chrony"),
}


def test_every_code_that_fails_has_its_remedy_tried() -> None:
    """Those whose every scenario is a warning or unknown aside."""
    failing = {c for s in ALL.values() if s.expect.status == "fail" for c in s.expect.causes}
    tried = {c for name in REMEDIES for c in ALL[name].expect.causes}
    warnings = {
        s.expect.code
        for s in ALL.values()
        if s.expect.status == "warn" and s.expect.code not in tried
    }
    assert failing - tried <= warnings


@pytest.mark.parametrize("name", REMEDIES)
def test_the_remedy_makes_it_healthy(name: str) -> None:
    with Vpc(name) as vpc:
        assert report_of(vpc)["verdict"]["code"] == vpc.scenario.expect.code
        REMEDIES[name](vpc)
        report = report_of(vpc)
    assert report["verdict"]["code"] == "healthy", report["verdict"]


def close(vpc: Vpc, chain: str) -> None:
    """No packet to port 443 of the endpoints passes: by a group (tracked) or a NACL (not)."""
    addresses = ", ".join((*SSM, *SSMMESSAGES))
    vpc.nft(f"add rule inet vpc {chain} ip daddr {{ {addresses} }} tcp dport 443 drop")


def test_a_live_channel_beside_dead_new_connections_is_latent_and_a_group() -> None:
    with Vpc("healthy") as vpc:
        close(vpc, "endpoint")
        vpc.agent_speaks()  # a tracked connection still carries data
        report = report_of(vpc)
    codes = [cause["code"] for cause in report["causes"]]
    assert codes == ["endpoint-blocked", "latent-failure"]
    assert any("not a network ACL" in line for line in report["causes"][0]["evidence"])


def test_a_stale_channel_with_unacknowledged_data_is_no_live_one() -> None:
    """Cut by a NACL, the socket stays ESTABLISHED, but what the agent writes is never taken."""
    with Vpc("healthy") as vpc:
        close(vpc, "nacl")
        vpc.agent_speaks()
        report = report_of(vpc)
    assert report["agent"]["connected"] is False
    assert [cause["code"] for cause in report["causes"]] == ["endpoint-blocked"]
    assert not any("not a network ACL" in line for line in report["causes"][0]["evidence"])


def test_what_follows_from_a_cause_is_skipped_and_says_why() -> None:
    with Vpc("endpoint-blocked") as vpc:
        checks = {check["id"]: check for check in report_of(vpc)["checks"]}
    for check, cause in (
        ("tls.ssm", "tcp.ssm"),
        ("tls.ssmmessages", "tcp.ssmmessages"),
        ("permission", "tcp.ssm"),
    ):
        assert (checks[check]["status"], checks[check]["caused_by"]) == ("skip", cause)


def test_the_signed_call_can_be_left_out() -> None:
    """Each is an event in CloudTrail: `never` leaves it out, and without a folder to remember the
    answer in, the timer's rounds do not ask at all."""
    with Vpc("role-lacks-permission") as vpc:
        assert report_of(vpc, "--trigger", "timer")["verdict"]["code"] == "healthy"
        assert report_of(vpc, "--trigger", "boot")["verdict"]["code"] == "role-lacks-permission"
        vpc.put("/etc/agentcheck/agentcheck.conf", "[run]\nsigned_call = never\n")
        assert report_of(vpc)["verdict"]["code"] == "healthy"


def test_a_pin_that_dns_cannot_confirm_is_named_beside_what_its_address_does() -> None:
    with Vpc("hosts-override") as vpc:
        vpc.update(dns=(Resolver(VPC_RESOLVER, "drop"),))
        report = report_of(vpc)
    codes = {cause["code"]: cause for cause in report["causes"]}
    assert "hosts-override" not in codes
    assert any("/etc/hosts pins ssm" in line for line in codes["endpoint-blocked"]["evidence"])
    assert "hosts-pinned" not in [note["code"] for note in report["notes"]]


def test_a_proxy_by_name_with_silent_dns_ends_in_a_verdict() -> None:
    with Vpc("proxy-unreachable-everywhere") as vpc:
        vpc.update(dns=(Resolver(VPC_RESOLVER, "drop"),))
        report = report_of(vpc)
    assert (report["verdict"]["code"], report["verdict"]["reason"]) == (
        "proxy-unreachable",
        "unresolved",
    )
    assert report["duration_s"] < 10


def signed_calls(vpc: Vpc) -> int:
    return sum('"signed": true' in line for line in vpc.served)


def test_the_timers_rounds_ask_once_and_remember_the_answer() -> None:
    """In trouble too, so that the verdict does not flap between rounds that ask and do not."""
    with Vpc("role-lacks-permission") as vpc:
        vpc.run(["mkdir", "-p", "/run/agentcheck"])
        for _ in range(3):
            report = report_of(vpc, "--trigger", "timer")
            assert report["verdict"]["code"] == "role-lacks-permission"
        assert signed_calls(vpc) == 1
        vpc.update(imds=Imds(role="another-role"))
        report_of(vpc, "--trigger", "timer")
        assert signed_calls(vpc) == 2
        report_of(vpc)
        assert signed_calls(vpc) == 3
