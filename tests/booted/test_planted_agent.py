"""Programs that another user has named amazon-ssm-agent, rpm, systemctl or snap."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.booted import Machine
from tests.reports import parse
from tests.vpc import Vpc, artefacts
from tests.vpc.scenario import Agent, healthy

pytestmark = pytest.mark.booted

# Says in /run/executed that it was executed with an argument, and else waits.
TRAP = "/usr/lib/trap"
AGENT = "/usr/bin/amazon-ssm-agent"
HOME = "/home/mallory"
# A program of that name at a place, of an owner, with a mode.
PLACE = 'place() { install -D -o "$2" -g "$2" -m "$3" /usr/lib/trap "$1"; }\n'
CLEAN = """\
for one in /proc/[0-9]*; do
    case $(readlink "$one/exe") in */amazon-ssm-agent*) kill -KILL "${one#/proc/}" ;; esac
done
rm -rf /run/executed /usr/bin/amazon-ssm-agent /snap /home/mallory /opt/agent /srv/jail
install -d -o 1000 -g 1000 /home/mallory
"""
# In each it may be that only one thing is wrong.
FILES = {
    "another user's file": f"place {AGENT} 1000 755",
    "a file that its group may write": f"place {AGENT} 0 775",
    "a file that anybody may write": f"place {AGENT} 0 757",
    "a link to a user's file": f"place {HOME}/agent 1000 755; ln -s {HOME}/agent {AGENT}",
    "a link to root's file in a user's folder": f"place {HOME}/a 0 755; ln -s {HOME}/a {AGENT}",
    "a link to root's file in /tmp": f"place /tmp/agent 0 755; ln -s /tmp/agent {AGENT}",
    "a snap in a user's folder": "place /snap/amazon-ssm-agent/current/amazon-ssm-agent 0 755;"
    " chown 1000 /snap/amazon-ssm-agent",
    "a snap's link to a user's folder": f"place {HOME}/amazon-ssm-agent 0 755;"
    f" install -d /snap/amazon-ssm-agent; ln -s {HOME} /snap/amazon-ssm-agent/current",
}
# They run, and their file is gone, so that only the process itself could be asked.
START = "{} >/dev/null 2>&1 & until [ $(readlink /proc/$!/exe) = {} ]; do sleep 0.01; done; rm {}"
OPT = "/opt/agent/amazon-ssm-agent"
PROCESSES = {
    "another user's process": f"place {OPT} 0 755; "
    + START.format(f"setpriv --reuid 1000 --clear-groups {OPT}", OPT, OPT),
    "a program that its group may write": f"place {OPT} 0 775; " + START.format(OPT, OPT, OPT),
    "a program that anybody may write": f"place {OPT} 0 757; " + START.format(OPT, OPT, OPT),
    "another user's program": f"place {OPT} 1000 755; " + START.format(OPT, OPT, OPT),
    "another network": f"place {OPT} 0 755; " + START.format(f"unshare --net {OPT}", OPT, OPT),
    "another root folder": f"place /srv/jail{OPT} 0 755; "
    + START.format(f"chroot /srv/jail {OPT}", f"/srv/jail{OPT}", f"/srv/jail{OPT}"),
}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    source = Path(__file__).with_name("planted.c")

    def make(folder: Path) -> None:
        artefacts.call("cc", "-O1", "-static", "-o", str(folder / "trap"), str(source))

    recipe = f"trap {os.uname().machine} {source.read_text()}"
    trap = (artefacts.kept("trap", recipe, make) / "trap").read_bytes()
    world = replace(healthy(), agent=Agent(installed="none", running=False))
    with Vpc(world) as vpc, Machine(vpc) as booted:
        booted.put(TRAP, trap, 0o755)
        yield booted


def looked(machine: Machine, script: str, **how: Any) -> tuple[bool, dict[str, Any]]:
    """Whether it was executed in a round of root's, and what the round says of the agent."""
    machine.check("sh", "-c", CLEAN)
    machine.check("sh", "-ec", PLACE + script + "\n")
    round_ = ["agentcheck", "run", "--format", "json", "--only", "agent.*"]
    report = parse(machine.run(["sh", "-c", 'cd "$0" && exec "$@"', HOME, *round_], **how))
    executed = machine.run(["test", "-e", "/run/executed"]).returncode == 0
    return executed, report["agent"]


def test_a_file_that_only_root_could_have_put_there_is_asked(machine: Machine) -> None:
    """The control: the traps of the other tests would be seen."""
    executed, agent = looked(machine, f"place {AGENT} 0 755")
    assert (executed, agent["version"]) == (True, "3.3.1611.0")


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_somebody_else_may_have_put_there_is_not(machine: Machine, what: str) -> None:
    executed, agent = looked(machine, FILES[what])
    assert (executed, agent["installed"], agent["version"]) == (False, True, None)


def test_the_program_of_a_process_of_root_is_asked(machine: Machine) -> None:
    executed, agent = looked(machine, f"place {OPT} 0 755; " + START.format(OPT, OPT, OPT))
    assert (executed, agent["running_version"]) == (True, "3.3.1611.0")


@pytest.mark.parametrize("what", PROCESSES)
def test_the_program_of_another_process_is_not(machine: Machine, what: str) -> None:
    executed, agent = looked(machine, PROCESSES[what])
    assert (executed, agent["running_version"]) == (False, None)
    if what in ("another user's process", "another network"):
        assert not agent["running"]


def test_neither_the_path_nor_the_current_folder_decides_what_is_executed(
    machine: Machine,
) -> None:
    names = ("amazon-ssm-agent", "rpm", "systemctl", "snap", "python3", "ip")
    script = ";".join(f"place {HOME}/{name} 0 755" for name in names)
    executed, _ = looked(machine, script, env={"PATH": f"{HOME}:.:/usr/bin:/bin"})
    assert not executed
