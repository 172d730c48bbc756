"""The simulated VPC's instance: its files and its agent, as the instance sees them."""

from __future__ import annotations

import time

import pytest

from tests.vpc import Vpc
from tests.vpc.clients import agents, peers, python
from tests.vpc.scenario import SSM, Agent, Endpoint, Rule, healthy

pytestmark = pytest.mark.vpc


def test_a_file_is_written_and_removed_while_the_instance_runs() -> None:
    with Vpc("healthy") as vpc:
        vpc.put("/etc/amazon/ssm/deep/er/x.json", "line 'one'\n", 0o600)
        look = 'cat "$1"; stat -c "%a %u" "$1"'
        shown = vpc.run(["sh", "-c", look, "sh", "/etc/amazon/ssm/deep/er/x.json"]).stdout
        assert shown == "line 'one'\n600 0\n"
        vpc.put("/etc/resolv.conf", b"nameserver 10.0.0.9\n")
        assert vpc.run(["cat", "/etc/resolv.conf"]).stdout == "nameserver 10.0.0.9\n"
        vpc.put("/etc/resolv.conf", None)
        vpc.put("/etc/resolv.conf", None)
        assert vpc.run(["test", "-e", "/etc/resolv.conf"]).returncode == 1


def test_the_agent_stops_and_starts_as_at_boot() -> None:
    with Vpc("healthy") as vpc:
        before = agents(vpc)
        vpc.start_agent()  # it runs already
        assert len(agents(vpc)) == len(before) == 2
        vpc.stop_agent()
        assert agents(vpc) == []
        vpc.stop_agent()
        vpc.start_agent()
        after = agents(vpc)
        assert [a["exe"] for a in after] == [a["exe"] for a in before]
        assert after[0]["parent"] == before[0]["parent"] == 1
        assert peers(vpc) == ["10.0.1.11:443"]


def test_a_started_agent_follows_the_world_as_it_became() -> None:
    with Vpc(healthy(agent=Agent(running=False), rules=(Rule(),))) as vpc:
        vpc.start_agent()
        assert peers(vpc) == []
        vpc.stop_agent()
        moved = (Endpoint("ssm", SSM), Endpoint("ssmmessages", ("10.0.3.3",)))
        vpc.update(rules=(), endpoints=moved)
        vpc.start_agent()
        assert peers(vpc) == ["10.0.3.3:443"]
        vpc.stop_agent()
        vpc.update(agent=Agent(connected=False))
        vpc.start_agent()
        assert len(agents(vpc)) == 2
        assert peers(vpc) == []


def test_the_agent_is_as_old_as_the_scenario_says() -> None:
    with Vpc("healthy") as vpc:
        assert all(abs(agent["age"] - 60) < 5 for agent in agents(vpc))
    with Vpc(healthy(agent=Agent(age=864000.0))) as vpc:
        assert all(abs(agent["age"] - 864000) < 5 for agent in agents(vpc))
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 864000))
        log = vpc.run(["head", "-1", "/var/log/amazon/ssm/amazon-ssm-agent.log"]).stdout
        assert log.startswith(day)
        vpc.stop_agent()
        vpc.update(agent=Agent(age=5.0))
        vpc.start_agent()
        assert all(abs(agent["age"] - 5) < 3 for agent in agents(vpc))


def test_an_agent_replaced_while_it_runs() -> None:
    agent = Agent(running_version="3.2.1705.0")
    code = (
        "import os, subprocess\n"
        "old = [f'/proc/{p}/exe' for p in os.listdir('/proc') if p.isdigit()]\n"
        "old = next(e for e in old if os.readlink(e).startswith('/usr/bin/amazon-ssm-agent'))\n"
        "for program in (old, '/usr/bin/amazon-ssm-agent'):\n"
        "    print(subprocess.check_output([program, '-version'], text=True), end='')\n"
    )
    with Vpc(healthy(agent=agent)) as vpc:
        assert {a["exe"] for a in agents(vpc)} == {
            "/usr/bin/amazon-ssm-agent (deleted)",
            "/usr/bin/ssm-agent-worker (deleted)",
        }
        assert python(vpc, code).splitlines() == [
            "SSM Agent version: 3.2.1705.0",
            "SSM Agent version: 3.3.1611.0",
        ]
        vpc.stop_agent()
        vpc.start_agent()
        assert {a["exe"] for a in agents(vpc)} == {
            "/usr/bin/amazon-ssm-agent",
            "/usr/bin/ssm-agent-worker",
        }


def test_a_snap_refreshed_while_the_agent_runs() -> None:
    agent = Agent("snap", package_version=None, running_version="3.2.1705.0")
    with Vpc(healthy(agent=agent)) as vpc:
        folder = agents(vpc)[0]["exe"].rpartition("/")[0]
        current = vpc.run(["readlink", "-f", "/snap/amazon-ssm-agent/current"]).stdout.strip()
        assert folder != current
        for place, version in ((folder, "3.2.1705.0"), (current, "3.3.1611.0")):
            told = vpc.run([f"{place}/amazon-ssm-agent", "-version"]).stdout
            assert told == f"SSM Agent version: {version}\n"
            assert f"version: {version}" in vpc.run(["cat", f"{place}/meta/snap.yaml"]).stdout


def _show(vpc: Vpc, *arguments: str) -> list[str]:
    outcome = vpc.run(["/usr/bin/systemctl", "show", "--no-pager", *arguments])
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


def test_systemctl_shows_the_unit() -> None:
    asked = "--property=LoadState,ActiveState,NRestarts,Nonsense"
    agent = Agent(unit={"NRestarts": "7", "Result": "exit code", "Odd": "a=b 'c' $d"})
    with Vpc(healthy(agent=agent)) as vpc:
        assert vpc.run(["test", "-d", "/run/systemd/system"]).returncode == 0
        assert _show(vpc, asked, "amazon-ssm-agent.service") == [
            "LoadState=loaded",
            "ActiveState=active",
            "NRestarts=7",
        ]
        everything = _show(vpc, "amazon-ssm-agent")
        assert {"Id=amazon-ssm-agent.service", "Odd=a=b 'c' $d"} <= set(everything)
        snap = "snap.amazon-ssm-agent.amazon-ssm-agent.service"
        assert "LoadState=not-found" in _show(vpc, snap)
        both = _show(vpc, "-p", "Id", "-p", "LoadState", "other.service", "amazon-ssm-agent")
        assert both == [
            "Id=other.service",
            "LoadState=not-found",
            "",
            "Id=amazon-ssm-agent.service",
            "LoadState=loaded",
        ]
    with Vpc(healthy(agent=Agent("snap", package_version=None, unit={}))) as vpc:
        assert _show(vpc, "--property=LoadState", snap) == ["LoadState=loaded"]


def test_without_a_unit_there_is_no_systemd() -> None:
    with Vpc("healthy") as vpc:
        assert vpc.run(["test", "-d", "/run/systemd/system"]).returncode == 1


def test_an_update_under_way_a_registration_and_a_dangling_snap() -> None:
    agent = Agent(updating=True, registration='{"ManagedInstanceID":"mi-0"}', dangling_snap=True)
    code = (
        "import os, psutil\n"
        "pid = int(open('/var/lib/amazon/ssm/update.lock').read())\n"
        "print(os.readlink(f'/proc/{pid}/exe'), psutil.Process(pid).uids().real)\n"
        "print(oct(os.stat('/var/lib/amazon/ssm/registration').st_mode)[-3:])\n"
        "print(os.path.lexists('/snap/amazon-ssm-agent/current'),\n"
        "      os.path.exists('/snap/amazon-ssm-agent/current'))\n"
    )
    with Vpc(healthy(agent=agent)) as vpc:
        assert python(vpc, code).splitlines() == [
            "/var/lib/amazon/ssm/update/amazon-ssm-agent-updater/3.3.9999.0/updater 0",
            "600",
            "True False",
        ]
        assert len(agents(vpc)) == 3  # the updater's path has that name in it too


def test_what_the_agent_says_stays_unanswered_once_the_way_is_cut() -> None:
    with Vpc("healthy") as vpc:
        vpc.agent_speaks()
        time.sleep(0.2)
        (before,) = vpc.run(["grep", " 01 ", "/proc/net/tcp"]).stdout.splitlines()
        assert before.split()[4].startswith("00000000:")  # the other end took it, and waits on
        vpc.nft(
            "table inet cut {\n chain in { type filter hook input priority -20; policy accept;\n"
            "ip daddr 10.0.1.11 drop\n }\n}"
        )
        vpc.agent_speaks()
        (after,) = vpc.run(["grep", " 01 ", "/proc/net/tcp"]).stdout.splitlines()
        assert int(after.split()[4].partition(":")[0], 16) > 0
