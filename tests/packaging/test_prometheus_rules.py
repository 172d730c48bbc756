"""Alert rules, scrape example and dashboard: judged by promtool, and held against the renderer."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentcheck.daemon import schedule
from agentcheck.render import prometheus
from agentcheck.settings import SETTINGS
from tests.vpc import Vpc, default_command

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
RULES = PACKAGING / "prometheus/alerts.yml"
DASHBOARD = json.loads((PACKAGING / "grafana/agentcheck.json").read_text("utf-8"))
PANELS = DASHBOARD["panels"]
METRICS = {metric.name for metric in prometheus._METRICS}


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, timeout=120, cwd=RULES.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.promtool
def test_the_unit_tests_of_the_rules_pass() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


@pytest.mark.promtool
def test_promtool_accepts_the_rules_and_the_scrape_example() -> None:
    assert "SUCCESS" in promtool("check", "rules", "alerts.yml")
    assert "valid prometheus config" in promtool("check", "config", "scrape.yml")


def alerts() -> dict[str, str]:
    """Each alert's own text, by name."""
    parts = re.split(r"^ +- alert: (\w+)\n", RULES.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def test_every_alert_has_a_unit_test_that_fires_it_and_one_that_does_not() -> None:
    text = (RULES.parent / "alerts_test.yml").read_text("utf-8")
    cases = re.findall(r"- alertname: (\w+)\n +eval_time: \S+\n( +exp_alerts:)?", text)
    for name in alerts():
        fired = {bool(expected) for found, expected in cases if found == name}
        assert fired == {True, False}, name


def test_every_alert_says_what_it_is_about_and_what_to_do() -> None:
    for name, text in alerts().items():
        for part in ("expr", "for", "severity", "summary", "description", "runbook"):
            assert re.search(rf"^ +{part}:", text, re.MULTILINE), (name, part)
        assert "agentcheck explain" in text


def test_the_age_of_a_stale_report_is_the_daemon_s_own() -> None:
    values = {(s.section, s.key): s.kind.parse(s.default) for s in SETTINGS}
    timing = schedule.Timing(values["daemon", "interval"], values["daemon", "jitter"])
    age = schedule.stale_after(timing, values["run", "deadline"])
    assert f"agentcheck_last_run_timestamp_seconds > {age:g}\n" in alerts()["AgentcheckStale"]
    oldest = next(p for p in PANELS if p["title"] == "Oldest report")
    assert oldest["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == age


def metrics_in(text: str) -> set[str]:
    return set(re.findall(r"\bagentcheck_\w+", text))


def test_the_rules_ask_for_metrics_that_there_are() -> None:
    expressions = re.findall(r"expr: >-\n(.*?)\n +for:", RULES.read_text("utf-8"), re.DOTALL)
    assert len(expressions) == len(alerts())
    assert metrics_in(" ".join(expressions)) <= METRICS


def expressions() -> Iterator[str]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"]


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    for expression in expressions():
        assert metrics_in(expression), expression
        assert metrics_in(expression) <= METRICS, expression
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            assert metrics_in(variable["definition"]) <= METRICS
            assert variable["query"]["query"] == variable["definition"]


@pytest.mark.promtool
def test_prometheus_can_read_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression}
        for number, expression in enumerate(expressions())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(path))


def test_the_dashboard_is_whole() -> None:
    """Ids differ, no panel lies on another, variables are defined, every panel has a source."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    cells: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert cells.setdefault((x, y), panel["title"]) == panel["title"]
    known = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(DASHBOARD)))
    assert used == known
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert all(panel["datasource"] == source for panel in PANELS)


def test_the_dashboard_shows_what_a_fleet_s_keeper_looks_for() -> None:
    titles = {panel["title"] for panel in PANELS}
    assert titles >= {
        "Verdicts by code",
        "Status over time",
        "Failing instances",
        "Endpoint durations by phase",
        "SSM Agent versions",
        "agentcheck versions",
    }


def samples(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, _, value in lines}


@pytest.mark.vpc
def test_an_instance_that_lives_on_its_old_channel_has_what_the_alert_looks_for() -> None:
    """The metrics of a real round: latent-failure stands beside the verdict, never in it."""
    with Vpc("latent-failure") as vpc:
        command = default_command(vpc.scenario, "--format", "prometheus")
        found = samples(vpc.run(command).stdout)
    assert found['agentcheck_check_success{check="agent.channel"}'] == 1
    services: dict[str, Any] = {
        name: found.get(f'agentcheck_endpoint_success{{service="{name}"}}')
        for name in ("ssm", "ssmmessages")
    }
    assert 0 in services.values()
    assert 'agentcheck_verdict{code="latent-failure"}' not in found
