#!/usr/bin/env python3
"""The alert rules, made from the tables in the code, and their unit tests with the same texts.

`generate.py` writes alerts.yml and alerts_test.yml (from alerts_test.yml.in) beside itself,
`generate.py NAME` prints one. A test holds that the files are what this prints. The times are those
of the default settings: with another `[daemon] interval` change `for` and the ages with it.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agentcheck import settings  # noqa: E402
from agentcheck.daemon import schedule  # noqa: E402
from agentcheck.diagnosis import ROWS  # noqa: E402

VALUES = {(s.section, s.key): s.kind.parse(s.default) for s in settings.SETTINGS}
TIMING = schedule.Timing(VALUES["daemon", "interval"], VALUES["daemon", "jitter"])
STALE_S = round(schedule.stale_after(TIMING, VALUES["run", "deadline"]))
# Two rounds and their confirmation have ended by then.
TROUBLE = "10m"
# What the EC2 user guide promises: new credentials at least five minutes before the old ones end.
RENEWED_BEFORE_S = 300

CODE = "{{ $labels.code }}"
WHO = "{{ $labels.instance }}"


@dataclass(frozen=True)
class Alert:
    """`code` is the verdict whose explanation is the runbook; empty: that of `$labels.code`."""

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str
    description: str
    code: str = ""
    comment: str = ""


def with_status(pattern: str) -> str:
    return (
        f'agentcheck_verdict and on (job, instance) agentcheck_status{{status=~"{pattern}"}} == 1'
    )


ALERTS: Sequence[Alert] = (
    Alert(
        "AgentcheckFail",
        with_status("fail"),
        TROUBLE,
        "critical",
        f"{WHO}: Session Manager cannot reach it: {CODE}",
        "{meaning}",
    ),
    Alert(
        "AgentcheckLatentFailure",
        'agentcheck_check_success{check="agent.channel"} == 1 and on (job, instance)'
        ' agentcheck_endpoint_success{service=~"ssm|ssmmessages"} == 0',
        TROUBLE,
        "critical",
        f"{WHO} is reachable over an old connection only, and lost at the agent's next restart",
        "{meaning}",
        code="latent-failure",
        comment="Stands beside a cause, so it is never the verdict itself: the channel lives while"
        " fresh connections fail.",
    ),
    Alert(
        "AgentcheckUnknown",
        with_status("unknown|pending"),
        "15m",
        "warning",
        f"{WHO}: agentcheck cannot tell: {CODE}",
        "{meaning}",
    ),
    Alert(
        "AgentcheckStale",
        f"time() - agentcheck_last_run_timestamp_seconds > {STALE_S}",
        "5m",
        "warning",
        f"{WHO}: the last report is {{{{ $value | humanizeDuration }}}} old",
        "The daemon has stopped or hangs, or the instance's clock is wrong by as much. What the"
        " other metrics of this instance say is as old. On it: systemctl status agentcheck;"
        " agentcheck status.",
        comment="Two rounds have not ended: the age at which agentcheck itself calls a report"
        " stale.",
    ),
    Alert(
        "AgentcheckDown",
        'up{job="agentcheck"} == 0',
        TROUBLE,
        "warning",
        f"{WHO}: nobody answers on agentcheck's status port",
        "The daemon has stopped, the port is off or closed to Prometheus, or allowed_hosts lacks"
        " the address (421). On the instance: systemctl status agentcheck; agentcheck config.",
        comment="The daemon of one instance is gone, as seen from outside.",
    ),
    Alert(
        "AgentcheckGone",
        "max by (job, instance) (max_over_time(agentcheck_build_info[1d]))"
        " and on (job, instance) up == 1 unless on (job, instance) agentcheck_build_info",
        TROUBLE,
        "warning",
        f"{WHO}: agentcheck's metrics have gone",
        "They were there within the day, and the target still answers without them: the textfile"
        " was removed, or cannot be read. On the instance: systemctl status agentcheck.",
        comment="The metrics are absent though the scrape succeeds. An instance that was ended is"
        " no target any more, and needs nothing.",
    ),
    Alert(
        "AgentcheckFleetAbsent",
        "absent(agentcheck_build_info)",
        TROUBLE,
        "critical",
        "No instance reports to Prometheus",
        "Discovery or scraping is broken: look at the targets of Prometheus and at its rights to"
        " ec2:DescribeInstances.",
        comment="Nothing at all: then no other rule here can fire.",
    ),
    Alert(
        "AgentcheckCredentialsNotRenewed",
        "agentcheck_credentials_expiry_timestamp_seconds - agentcheck_last_run_timestamp_seconds"
        f" < {RENEWED_BEFORE_S}",
        "1m",
        "warning",
        f"{WHO}: the role's credentials end in {{{{ $value | humanizeDuration }}}} and were not"
        " renewed",
        "IMDS had not renewed them when the last round ended. Once they have ended the verdict is"
        " credentials-expired, and the agent is lost.",
        code="credentials-expired",
        comment="New ones are there at least five minutes before the old ones end (EC2 user"
        " guide). Compared with the round, not with now: what was renewed since is not known yet.",
    ),
    Alert(
        "AgentcheckFlapping",
        "max by (job, instance) (changes(agentcheck_healthy[1h])) >= 4"
        " or count by (job, instance) (count_over_time(agentcheck_verdict[1h])) >= 4",
        "0m",
        "warning",
        f"{WHO}: its verdict changes to and fro ({{{{ $value }}}} times or codes in an hour)",
        "Often an endpoint with one dead address, a resolver that loses queries, or an agent that"
        " is restarted again and again. On the instance: agentcheck history.",
    ),
    Alert(
        "AgentcheckAgentOutdated",
        'agentcheck_verdict{code=~"agent-outdated|agent-needs-ec2messages|agent-version-unknown"}',
        "1h",
        "info",
        f"{WHO}: the SSM Agent is too old to do without ec2messages, or its version is unknown:"
        f" {CODE}",
        "{meaning}",
    ),
)


def chain(part: str, lead: str = "") -> Iterator[str]:
    """A template that gives the part of the explanation of whatever code the alert carries."""
    for number, (code, row) in enumerate(ROWS.items()):
        word = "else if" if number else "if"
        text = lead + plain(getattr(row.explain, part))
        yield f'{{{{- {word} eq $labels.code "{code}" }}}}{text}'
    yield "{{- end }}"


def plain(text: str) -> str:
    """Text that a template takes for text."""
    return " ".join(text.split()).replace("{{", "{ {")


def folded(indent: int, text: str) -> Iterator[str]:
    blanks = " " * indent
    yield from textwrap.wrap(
        text,
        100,
        initial_indent=blanks,
        subsequent_indent=blanks,
        break_long_words=False,
        break_on_hyphens=False,
    )


def rule(alert: Alert) -> Iterator[str]:
    if alert.comment:
        for line in textwrap.wrap(alert.comment, 90):
            yield f"      # {line}"
    yield f"      - alert: {alert.name}"
    yield "        expr: >-"
    yield from folded(10, alert.expr)
    yield f"        for: {alert.lasts}"
    yield "        labels:"
    yield f"          severity: {alert.severity}"
    yield "        annotations:"
    yield "          summary: >-"
    yield from folded(12, alert.summary)
    yield "          description: >-"
    explained = "{meaning}" in alert.description
    before = alert.description.replace("{meaning}", "").strip()
    if before:
        yield from folded(12, before)
    if explained and alert.code:
        yield from folded(12, plain(ROWS[alert.code].explain.meaning))
    elif explained:
        yield from (f"            {line}" for line in chain("meaning"))
    if explained or alert.code:
        yield "          runbook: >-"
        yield from folded(12, f"agentcheck explain {alert.code or CODE}. Fix:")
        if alert.code:
            yield from folded(12, plain(ROWS[alert.code].explain.fix))
        else:
            yield from (f"            {line}" for line in chain("fix", " "))
    else:
        yield "          runbook: >-"
        yield from folded(12, "agentcheck explain (the list of verdicts); agentcheck(8).")


def alerts() -> str:
    lines = [
        "# Alert rules of agentcheck, made by packaging/prometheus/generate.py; do not edit.",
        "# They fit the default settings (a round every 5 minutes) and the labels of scrape.yml:",
        "# `instance` is the instance's id. Try them: promtool test rules alerts_test.yml",
        "groups:",
        "  - name: agentcheck",
        "    rules:",
    ]
    for alert in ALERTS:
        lines += rule(alert)
    return "".join(f"{line}\n" for line in lines)


def alerts_test() -> str:
    """The unit tests, with `@meaning CODE@` and `@fix CODE@` filled in (in double quotes)."""

    def text(found: re.Match[str]) -> str:
        words = plain(getattr(ROWS[found[2]].explain, found[1]))
        return words.replace("\\", "\\\\").replace('"', '\\"')

    template = Path(__file__).with_name("alerts_test.yml.in").read_text("utf-8")
    return "# Made by generate.py from alerts_test.yml.in; do not edit.\n" + re.sub(
        r"@(meaning|fix) ([a-z0-9-]+)@", text, template
    )


FILES = {"alerts.yml": alerts, "alerts_test.yml": alerts_test}


def main(arguments: Sequence[str]) -> int:
    if arguments:
        sys.stdout.write("".join(FILES[name]() for name in arguments))
        return 0
    for name, make in FILES.items():
        Path(__file__).with_name(name).write_text(make(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
