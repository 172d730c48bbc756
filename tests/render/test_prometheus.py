"""Prometheus text: every metric of the contract, judged by promtool and read by Prometheus."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcheck.model import ERROR, FAIL, OK, PENDING, SKIP, UNKNOWN, WARN, Cause, Live, Report
from agentcheck.model import Result as R
from agentcheck.render.prometheus import render, waiting

CAUSE = Cause(
    "endpoint-blocked",
    FAIL,
    "Port 443 of ssm does not answer.",
    ["ssm: no answer from 10.0.1.10"],
    ["Open the port.", "Endpoint's side: aws ec2 authorize-security-group-ingress --port 443"],
    ["ssm"],
)
ENDPOINT = {"service": "ssm", "host": "ssm.us-east-1.amazonaws.com", "name": "ok", "proxy": None}
SILENT = {"address": "10.0.1.10", "tcp": "timeout", "tls": None}
GOOD = {"address": "10.0.1.11", "tcp": "ok", "tls": "ok"}
REPORT = Report(
    agentcheck_version="1.2.3",
    run_id="0" * 32,
    started="2026-11-25T04:00:00.250Z",
    duration_s=3.5,
    trigger="timer",
    profile="instance",
    complete=True,
    verdict=CAUSE,
    causes=(CAUSE, replace(CAUSE, code="role-missing")),
    notes=(),
    checks=(
        R("role", OK, "worker", facts={"expiration": 1796000000.0}, duration_s=0.01),
        R("agent.enabled", WARN, "not at boot", duration_s=0.002),
        R("disk", ERROR, "no rights"),
        R("dns.ssm", OK, "10.0.1.10", duration_s=0.02, phases={"dns": 0.0125}),
        R("tcp.ssm", FAIL, "timeout", duration_s=3.5, phases={"connect": 3.5}),
        R("tls.ssm", SKIP, "not tried", caused_by="tcp.ssm"),
    ),
    instance={"instance_id": "i-0123456789abcdef0", "region": "us-east-1"},
    agent={"installed": True, "version": "3.3.40.0", "running_version": None},
    endpoints=({**ENDPOINT, "addresses": [SILENT]},),
)
LIVE = Live(FAIL, "endpoint-blocked", "2026-11-25T03:55:00Z", 12.0, False, {OK: 3, FAIL: 1})


def with_status(status: str, code: str = "some-code") -> Report:
    """The report with another verdict."""
    cause = replace(CAUSE, code=code, status=status)
    return replace(REPORT, verdict=cause, causes=(cause,))


def samples(text: str) -> dict[str, float]:
    """Every sample by name and labels; each line has the form of the format, none stands twice."""
    line_form = re.compile(r'([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})?) (\S+)')
    found: dict[str, float] = {}
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if not line.startswith("# "):
            match = line_form.fullmatch(line)
            assert match, line
            assert match[1] not in found, line
            found[match[1]] = float(match[2])
    return found


def test_every_metric_of_a_round() -> None:
    statuses = {f'agentcheck_status{{status="{s}"}}': s == FAIL for s in (OK, WARN, FAIL, UNKNOWN)}
    assert samples(render(REPORT)) == {
        'agentcheck_build_info{version="1.2.3"}': 1,
        "agentcheck_healthy": 0,
        **statuses,
        'agentcheck_status{status="pending"}': 0,
        'agentcheck_verdict{code="endpoint-blocked"}': 1,
        'agentcheck_check_success{check="role"}': 1,
        'agentcheck_check_success{check="agent.enabled"}': 1,
        'agentcheck_check_success{check="disk"}': 0,
        'agentcheck_check_success{check="dns.ssm"}': 1,
        'agentcheck_check_success{check="tcp.ssm"}': 0,
        'agentcheck_check_duration_seconds{check="role"}': 0.01,
        'agentcheck_check_duration_seconds{check="agent.enabled"}': 0.002,
        'agentcheck_check_duration_seconds{check="disk"}': 0,
        'agentcheck_check_duration_seconds{check="dns.ssm"}': 0.02,
        'agentcheck_check_duration_seconds{check="tcp.ssm"}': 3.5,
        'agentcheck_endpoint_success{service="ssm"}': 0,
        'agentcheck_endpoint_duration_seconds{service="ssm",phase="dns"}': 0.0125,
        'agentcheck_endpoint_duration_seconds{service="ssm",phase="connect"}': 3.5,
        'agentcheck_ssm_agent_info{version="3.3.40.0",running_version=""}': 1,
        "agentcheck_credentials_expiry_timestamp_seconds": 1796000000,
        "agentcheck_last_run_timestamp_seconds": 1795579203.75,
    }


@pytest.mark.parametrize(
    ("status", "healthy"), [(OK, 1), (WARN, 1), (FAIL, 0), (UNKNOWN, 0), (PENDING, 0)]
)
def test_healthy_is_ok_or_warn(status: str, healthy: int) -> None:
    found = samples(render(with_status(status)))
    assert found["agentcheck_healthy"] == healthy
    assert found[f'agentcheck_status{{status="{status}"}}'] == 1
    assert found['agentcheck_verdict{code="some-code"}'] == 1


def test_the_daemon_counts_its_rounds() -> None:
    text = render(REPORT, LIVE)
    assert "# TYPE agentcheck_runs_total counter" in text
    found = samples(text)
    assert found['agentcheck_runs_total{status="ok"}'] == 3
    assert found['agentcheck_runs_total{status="pending"}'] == 0
    assert samples(render(REPORT)).items() <= found.items()


def test_before_the_first_round() -> None:
    found = samples(waiting("1.2.3"))
    assert found['agentcheck_build_info{version="1.2.3"}'] == 1
    assert found["agentcheck_healthy"] == 0
    assert found['agentcheck_status{status="pending"}'] == 1
    assert sum(found.values()) == 2


def test_what_is_unknown_has_no_sample() -> None:
    found = samples(
        render(replace(REPORT, checks=(), agent={"installed": None}, endpoints=(), started="?"))
    )
    names = {name.partition("{")[0] for name in found}
    assert names == {"agentcheck_" + n for n in ("build_info", "healthy", "status", "verdict")}


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"addresses": [SILENT, GOOD]}, 1),
        ({"addresses": [{**GOOD, "tls": "untrusted"}]}, 0),
        ({"addresses": [{**GOOD, "tls": None}]}, None),
        ({"addresses": [], "name": "nxdomain"}, 0),
        ({"addresses": [], "name": "ok"}, None),
        ({"addresses": [], "name": None}, None),
        ({"addresses": [SILENT], "proxy": {"url": "http://p:3128", "state": "ok"}}, 1),
        ({"addresses": [GOOD], "proxy": {"url": "http://p:3128", "state": "denied"}}, 0),
        ({"addresses": [GOOD], "proxy": {"url": "http://p:3128", "state": "not-tried"}}, None),
    ],
)
def test_an_endpoint_is_judged_on_the_agents_way(change: dict[str, object], value: object) -> None:
    """Name, TCP and TLS, or the proxy where the agent has one; nothing where it was not tried."""
    found = samples(render(replace(REPORT, endpoints=({**ENDPOINT, **change},))))
    assert found.get('agentcheck_endpoint_success{service="ssm"}') == value


def test_behind_a_proxy_the_phases_are_those_through_it() -> None:
    through = R("proxy.ssm", OK, "through", phases={"connect": 0.5, "tls": 0.25})
    way = {"addresses": [], "proxy": {"url": "http://p:3128", "state": "ok"}}
    checks = (through, *REPORT.checks)
    report = replace(REPORT, checks=checks, endpoints=({**ENDPOINT, **way},))
    durations = {k: v for k, v in samples(render(report)).items() if "endpoint_duration" in k}
    assert list(durations.values()) == [0.5, 0.25]


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_the_format(code: str, check: str, version: str) -> None:
    report = replace(with_status(FAIL, code), checks=(R(check, OK, ""),) * 2)
    text = render(replace(report, agent={"installed": True, "version": version}))
    samples(text)
    text.encode()


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends the process it was given, and no other."""
    try:
        yield
    finally:
        process.kill()
        process.wait()


NASTY = replace(with_status(FAIL), agent={"installed": True, "version": 'a"b\\c\nd\u2028é{}'})


@pytest.mark.promtool
@pytest.mark.parametrize(
    "text",
    [
        *(render(with_status(s), LIVE) for s in (OK, WARN, FAIL, UNKNOWN, PENDING)),
        render(REPORT),
        render(NASTY),
        waiting("1.2.3"),
    ],
)
def test_promtool_has_nothing_to_say(text: str) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def query(port: int, text: str) -> list[dict[str, dict[str, str]]]:
    """An instant query; nothing while Prometheus is not there yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", f"/api/v1/query?query={quote(text)}")
        answer = json.loads(connection.getresponse().read())
        found: list[dict[str, dict[str, str]]] = answer["data"]["result"]
        return found
    except (OSError, ValueError, KeyError):
        return []
    finally:
        connection.close()


@pytest.mark.promtool
def test_prometheus_scrapes_the_status_port(tmp_path: Path) -> None:
    """A real Prometheus gets the samples over HTTP, labels and all."""
    from agentcheck.daemon.board import Board
    from agentcheck.daemon.status_server import StatusServer

    board = Board(100.0)
    board.publish({}, NASTY, LIVE, 100.0)
    server = StatusServer(board, "127.0.0.1:0", False, ["127.0.0.1"])
    server.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    target = f"127.0.0.1:{server.address[1]}"
    job = {"job_name": "a", "static_configs": [{"targets": [target]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    command = [
        "prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    with closing(server), ended(process):
        for _ in range(300):
            found = query(port, "agentcheck_ssm_agent_info")
            if found or process.poll() is not None:
                break
            time.sleep(0.1)
        log_text = (tmp_path / "log").read_text()
        assert found, log_text
        assert found[0]["metric"]["version"] == 'a"b\\c\nd?é{}'
        assert len(query(port, 'agentcheck_runs_total{status="ok"} == 3')) == 1
        assert len(query(port, "up == 1")) == 1
