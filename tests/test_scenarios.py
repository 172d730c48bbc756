"""Every scenario of the simulated VPC ends in its verdict, and in no other cause."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.reports import assert_no_secret, parse, report_of
from tests.vpc import CANARIES, Vpc, default_command, run, scenarios

pytestmark = pytest.mark.vpc

SCENARIOS = scenarios()
# These the issue of this tool names: whatever is black-holed, a round ends by itself.
BLACK_HOLES = (
    "endpoint-blocked",
    "dns-unreachable",
    "imds-unreachable-timeout",
    "imds-unreachable-silent",
)


def test_there_are_at_least_thirty_scenarios() -> None:
    assert len(SCENARIOS) >= 30


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    """Verdict, status, exit code, services and causes are exactly those of the scenario."""
    expect = SCENARIOS[name].expect
    with Vpc(name) as vpc, ThreadPoolExecutor(1) as beside:
        # Side by side: where something is black-holed, both wait for it.
        text = beside.submit(vpc.run, default_command(vpc.scenario), env={"LANG": "C"})
        outcome = vpc.run(default_command(vpc.scenario, "--format", "json"))
        report, printed = parse(outcome), text.result()
    verdict = report["verdict"]
    assert verdict["code"] == expect.code, outcome.stdout
    assert verdict["status"] == expect.status
    assert outcome.returncode == printed.returncode == expect.exit_code
    assert verdict["services"] == list(expect.services)
    assert [cause["code"] for cause in report["causes"]] == list(expect.causes)
    if expect.reason is not None:
        assert verdict["reason"] == expect.reason
    if expect.notes:
        assert [note["code"] for note in report["notes"]] == list(expect.notes)
    if expect.status == "ok":
        allowed = {"ok", "skip"} | ({"warn"} if "optional-endpoint" in expect.notes else set())
        assert {check["status"] for check in report["checks"]} <= allowed
    else:
        assert verdict["evidence"]
        assert verdict["remedy"]
    assert outcome.stderr == ""
    _assert_readable(printed.stdout, verdict["code"])
    assert_no_secret(outcome)
    assert_no_secret(printed)


def _assert_readable(text: str, code: str) -> None:
    """Plain ASCII; verdict and first step in five lines; 80 columns but for commands."""
    assert text.isascii()
    assert "\033" not in text
    head = text.split("\n\n")[0].splitlines()
    assert len(head) <= 5, head
    assert code in head[0]
    for line in text.splitlines():
        assert len(line) <= 80 or line.lstrip().startswith("aws "), line
    if code not in ("healthy", "partial", "not-ec2"):
        assert "Fix: " in text.split("\n\n")[0]


@pytest.mark.parametrize("name", BLACK_HOLES)
def test_a_black_hole_ends_by_itself(name: str) -> None:
    """The round itself, without the start of the interpreter, is over within six seconds."""
    with Vpc(name) as vpc:
        assert report_of(vpc)["duration_s"] < 6


def test_the_servers_did_hand_out_the_secrets_that_no_output_may_show() -> None:
    outcome = run("healthy")
    given = {c for line in outcome.served for c in json.loads(line).get("canaries", [])}
    assert {"secret-key", "session-token", "imds-token"} <= given <= set(CANARIES)


def test_both_services_share_one_cause_that_names_the_security_groups() -> None:
    with Vpc("endpoint-blocked") as vpc:
        (cause,) = report_of(vpc)["causes"]
    assert cause["services"] == ["ssm", "ssmmessages"]
    assert any("10.0.1.10" in line for line in cause["evidence"])
    remedy = "\n".join(cause["remedy"])
    assert "endpoint security group" in remedy
    assert "sg-0123abcd4567ef890" in remedy


def test_opening_the_port_makes_it_healthy() -> None:
    with Vpc("endpoint-blocked") as vpc:
        assert report_of(vpc)["verdict"]["code"] == "endpoint-blocked"
        vpc.update(rules=())
        assert report_of(vpc)["verdict"]["code"] == "healthy"


def test_a_group_closed_after_the_agent_connected_is_seen_by_a_fresh_connection_only() -> None:
    """The trap: the tracked channel lives on, so the agent looks fine until its next restart."""
    with Vpc("healthy") as vpc:
        assert report_of(vpc)["agent"]["connected"] is True
        addresses = ("10.0.1.10", "10.0.2.10", "10.0.1.11", "10.0.2.11")
        elements = ", ".join(f"{address} . 443" for address in addresses)
        vpc.nft(f"add element inet vpc denied {{ {elements} }}")
        report = report_of(vpc)
    assert report["agent"]["connected"] is True
    assert report["verdict"]["code"] == "endpoint-blocked"
    assert any("old channel" in line for line in report["verdict"]["evidence"])


def test_only_some_checks_are_partial_and_run_what_they_need_silently() -> None:
    with Vpc("healthy") as vpc:
        report = report_of(vpc, "--only", "tcp.*")
    assert report["verdict"]["code"] == "partial"
    assert report["complete"] is False
    assert [check["id"] for check in report["checks"]] == [
        "tcp.ec2messages",
        "tcp.ssm",
        "tcp.ssmmessages",
    ]


def test_what_a_chosen_check_needs_is_named_when_it_fails() -> None:
    with Vpc("dns-not-found-all") as vpc:
        report = report_of(vpc, "--only", "tls.ssm")
    assert report["verdict"]["code"] == "dns-not-found"
    (check,) = report["checks"]
    assert (check["status"], check["caused_by"]) == ("skip", "dns.ssm")


def test_an_optional_endpoint_that_is_missing_turns_nothing_red() -> None:
    with Vpc("healthy") as vpc:
        command = default_command(vpc.scenario, "--format", "json")
        report = parse(vpc.run(command, env={"AGENTCHECK_ENDPOINTS_OPTIONAL": "s3"}))
    assert report["verdict"]["code"] == "healthy"
    assert "fail" not in {check["status"] for check in report["checks"]}
    assert [note["code"] for note in report["notes"]] == ["optional-endpoint"]


def test_wait_ends_with_the_time_and_says_on_stderr_what_it_waits_for() -> None:
    with Vpc("role-missing") as vpc:
        begun = time.monotonic()
        outcome = vpc.run(default_command(vpc.scenario, "--format", "json", "--wait", "1s"))
        assert time.monotonic() - begun >= 1
    assert parse(outcome)["verdict"]["code"] == "role-missing"
    assert "role-missing" in outcome.stderr


@pytest.mark.parametrize("name", ["proxy-refuses-password", "proxy-password"])
def test_the_password_of_a_proxy_is_in_no_output(name: str) -> None:
    with Vpc(name) as vpc:
        outcome = vpc.run(default_command(vpc.scenario, "--format", "json"))
    assert parse(outcome)["agent"]["proxy"] == "http://10.0.0.99:3128"
    assert "secret" not in outcome.stdout + outcome.stderr
