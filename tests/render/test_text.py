"""The text report: what stands where, within 80 columns and five lines at the top."""

from __future__ import annotations

from dataclasses import replace

from agentcheck.model import FAIL, OK, SKIP, Cause, Note, Report, Result
from agentcheck.render import json, text

CAUSE = Cause(
    "endpoint-blocked",
    FAIL,
    "Port 443 of ssm does not answer.",
    ["ssm: no answer"],
    ["Open the port.", "Endpoint's side: aws ec2 authorize " + "x" * 90, "aws ec2 describe"],
    ["ssm"],
)
REPORT = Report(
    agentcheck_version="1.2.3",
    run_id="0" * 32,
    started="2026-11-25T04:00:00.000Z",
    duration_s=3.51,
    trigger="manual",
    profile="instance",
    complete=True,
    verdict=CAUSE,
    causes=(CAUSE, replace(CAUSE, code="role-missing", evidence=(), remedy=("Attach one.",))),
    notes=(Note("dead-ipv6", "IPv6 is dead."),),
    checks=(
        Result("imds", OK, "i-0 in us-east-1"),
        Result("agent.running", OK, "running"),
        Result("tcp.ssm", FAIL, "timeout: 10.0.1.10"),
        Result("tls.ssm", SKIP, "not tried: tcp.ssm failed", caused_by="tcp.ssm"),
    ),
    instance={"instance_id": "i-0", "region": "us-east-1"},
    agent={},
    endpoints=(
        {
            "service": "ssm",
            "host": "ssm.us-east-1.amazonaws.com",
            "name": "ok",
            "addresses": [{"address": "10.0.1.10", "tcp": "timeout", "tls": None}],
        },
    ),
)
GOLDEN = f"""\
FAIL endpoint-blocked  i-0  us-east-1
Port 443 of ssm does not answer.
Fix: Open the port.

agent ok > role ok > name - > security groups / port 443 FAIL > TLS - >
  service -
  ssm          10.0.1.10 no answer

Evidence:
  - ssm: no answer
Steps:
  - Endpoint's side:
    aws ec2 authorize {"x" * 90}
    aws ec2 describe

Also FAIL role-missing
Port 443 of ssm does not answer.
Fix: Attach one.

Note: IPv6 is dead.

Checks:
  ok    agent.running  running
  ok    imds           i-0 in us-east-1
  fail  tcp.ssm        timeout: 10.0.1.10
  skip  tls.ssm        not tried: tcp.ssm failed

More: agentcheck explain endpoint-blocked
agentcheck 1.2.3, 2026-11-25T04:00:00.000Z, 3.5 s
"""


def test_the_whole_report() -> None:
    assert text.render(REPORT) == GOLDEN


def test_colour_changes_nothing_but_colour() -> None:
    coloured = text.render_in_colour(REPORT)
    assert "\033[31mFAIL endpoint-blocked\033[0m" in coloured
    for code in ("\033[0m", "\033[31m", "\033[32m", "\033[2m"):
        coloured = coloured.replace(code, "")
    assert coloured == GOLDEN


def test_what_is_cut_at_the_top_stands_whole_below() -> None:
    long = "word " * 60 + "end."
    cause = replace(CAUSE, summary=long, remedy=(long.replace("word", "step"),))
    printed = text.render(replace(REPORT, verdict=cause, causes=(cause,)))
    head, _, rest = printed.partition("\n\n")
    assert len(head.splitlines()) == 5
    assert "end." not in head
    assert rest.count("end.") == 2


def test_what_others_sent_does_not_steer_the_terminal() -> None:
    cause = replace(CAUSE, evidence=["a\033[31mRED\007"], remedy=["x", "aws \033[2J"])
    printed = text.render(replace(REPORT, verdict=cause, causes=(cause,)))
    assert "\033" not in printed
    assert "\007" not in printed


def test_json_holds_the_same_report() -> None:
    document = json.document(REPORT)
    assert document["verdict"] == document["causes"][0]
    assert document["verdict"]["doc"] == "agentcheck explain endpoint-blocked"
    assert document["checks"][3]["caused_by"] == "tcp.ssm"
    assert json.render(REPORT).isascii()
