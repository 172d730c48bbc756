"""The daemon as a process: what it tells systemd, and what no round or file can do to it."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from signal import SIGHUP, SIGUSR1

import pytest

from agentcheck.model import OK, Cause
from agentcheck.render.json import document
from tests.daemon.alone import Alone, eventually
from tests.render.test_prometheus import REPORT

HEALTHY = document(replace(REPORT, verdict=Cause("healthy", OK, "Fine."), causes=(), checks=()))


def test_systemd_is_told_of_every_step_of_its_life(tmp_path: Path) -> None:
    with Alone(tmp_path) as daemon:
        daemon.until("READY", "1")
        daemon.end()
        daemon.until("STOPPING", "1")
        assert list(daemon.told[0]) == ["STATUS", "EXTEND_TIMEOUT_USEC"]
        assert int(daemon.told[0]["EXTEND_TIMEOUT_USEC"]) >= 30_000_000
        assert daemon.told[1]["STATUS"] == (
            "fail endpoint-blocked; last round: "
            "fail endpoint-blocked: Port 443 of ssm does not answer."
        )


def test_the_watchdog_is_fed_twice_as_often_as_needed(tmp_path: Path) -> None:
    with Alone(tmp_path, WATCHDOG_USEC="400000") as daemon:
        for _ in range(3):
            daemon.until("WATCHDOG", "1")
        daemon.end()


def test_another_process_dog_is_not_fed(tmp_path: Path) -> None:
    with Alone(tmp_path, WATCHDOG_USEC="1000", WATCHDOG_PID="1") as daemon:
        daemon.until("READY", "1")
        daemon.signal(SIGUSR1)
        daemon.until("STATUS", "last round")
        assert not any("WATCHDOG" in message for message in daemon.told)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo nonsense", "printed no report"),
        ("exit 3", "printed no report"),
        ('echo "[1]"', "printed no report"),
        ('echo "{\\"a\\": NaN}"', "printed no report"),
        ("yes | head -c 3000000", "printed no report"),
        ('echo "{}"', "gave"),
        ("exec sleep 1000", "did not end in time and was killed"),
    ],
)
def test_a_round_that_gives_no_report_is_lost_and_the_daemon_goes_on(
    tmp_path: Path, script: str, why: str
) -> None:
    with Alone(tmp_path, {"run.deadline": "1s"}) as daemon:
        daemon.until("READY", "1")
        daemon.runs(script + "\n")
        daemon.signal(SIGUSR1)
        daemon.until("STATUS", "could-not-tell", why)
        lost = daemon.report()
        assert (lost["status"], lost["verdict"]["reason"]) == ("unknown", "round-lost")
        assert lost["instance"] == REPORT.instance  # which is known from the round before
        daemon.replies(HEALTHY)
        daemon.signal(SIGUSR1)
        daemon.until("STATUS", "ok healthy")
        said = daemon.end()
        assert said.count("<4>No verdict: the round of checks") == 1


def test_a_round_that_cannot_be_started_is_lost_too(tmp_path: Path) -> None:
    with Alone(tmp_path) as daemon:
        daemon.until("READY", "1")
        daemon.round.unlink()
        daemon.signal(SIGUSR1)
        daemon.until("STATUS", "could not be started", "No such file")
        daemon.end()


def test_a_round_under_way_ends_with_the_daemon(tmp_path: Path) -> None:
    with Alone(tmp_path) as daemon:
        daemon.until("READY", "1")
        daemon.runs(
            f"echo $$ >{tmp_path}/pid.new && mv {tmp_path}/pid.new {tmp_path}/pid\nsleep 99"
        )
        daemon.signal(SIGUSR1)
        eventually((tmp_path / "pid").exists)
        daemon.end()
        assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_what_is_confirmed_is_said_and_kept_once(tmp_path: Path) -> None:
    textfile = tmp_path / "agentcheck.prom"
    with Alone(tmp_path, {"state.textfile": str(textfile)}) as daemon:
        daemon.until("READY", "1")
        daemon.signal(SIGUSR1)
        daemon.until("STATUS", "last round")
        daemon.replies(HEALTHY)
        daemon.signal(SIGUSR1)
        daemon.until("STATUS", "ok healthy")
        said = daemon.end()
    history = json.loads((tmp_path / "state/history.json").read_text())
    assert [(entry["status"], entry["previous"]) for entry in history] == [
        ("fail", None),
        ("ok", "fail"),
    ]
    assert said.count("<3>fail endpoint-blocked: Port 443 of ssm does not answer.") == 1
    assert said.count("<6>recovered: ok healthy: Fine.") == 1
    assert "agentcheck_healthy 1\n" in textfile.read_text()


def test_what_cannot_be_written_is_said_once_and_costs_no_more_than_that(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with Alone(tmp_path, {"state.run_dir": f"{tmp_path}/taken/run"}) as daemon:
        daemon.until("READY", "1")
        for _ in range(2):
            daemon.signal(SIGUSR1)
            daemon.until("STATUS", "last round")
        said = daemon.end()
    assert said.count("report.json cannot be written: Not a directory") == 1
    assert (tmp_path / "state/history.json").exists()


def test_without_news_it_says_that_it_still_watches(tmp_path: Path) -> None:
    with Alone(tmp_path, {"daemon.heartbeat": "1s"}, WATCHDOG_USEC="400000") as daemon:
        daemon.until("READY", "1")
        for _ in range(8):
            daemon.until("WATCHDOG", "1")
        said = daemon.end()
    assert "<6>still fail endpoint-blocked since" in said


def healthz(path: Path) -> str:
    """What the status port answers on its socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        reply = b""
        while part := client.recv(4096):
            reply += part
    return reply.partition(b"\r\n\r\n")[2].decode()


def test_a_reload_moves_and_closes_the_port_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "first.sock", tmp_path / "second.sock"

    def reload(**settings: str) -> None:
        daemon.set({key.replace("_", ".", 1): text for key, text in settings.items()})
        daemon.signal(SIGHUP)
        assert daemon.until("RELOADING", "1")
        daemon.until("READY", "1")

    with Alone(tmp_path, {"http.listen": f"unix:{first}"}) as daemon:
        daemon.until("READY", "1")
        assert healthz(first) == "fail endpoint-blocked\n"
        reload(http_listen=f"unix:{second}")
        assert healthz(second) == "fail endpoint-blocked\n"
        assert not first.exists()
        reload(http_listen=f"unix:{tmp_path}/nowhere/x.sock")
        assert healthz(second) == "fail endpoint-blocked\n"
        reload(http_listen=f"unix:{second}", run_deadline="nonsense")
        assert healthz(second) == "fail endpoint-blocked\n"
        reload(daemon_interval="2h")
        assert not second.exists()
        said = daemon.end()
    assert said.count("<6>settings reloaded") == 2
    assert said.count("<4>keeping the former settings") == 2


@pytest.mark.parametrize(
    ("settings", "status", "word"),
    [
        ({"http.listen": "unix:/nowhere/x.sock"}, 3, "/nowhere"),
        ({"run.deadline": "nonsense"}, 78, "nonsense"),
    ],
)
def test_what_it_cannot_start_with_ends_it_at_once_in_one_line(
    tmp_path: Path, settings: dict[str, str], status: int, word: str
) -> None:
    with Alone(tmp_path, settings) as daemon:
        ended, said = daemon.wait()
    assert ended == status
    assert len(said.splitlines()) == 1
    assert said.startswith("agentcheck: ")
    assert word in said
