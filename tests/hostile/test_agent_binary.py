"""Programs that a round runs, and that do what no program should."""

from __future__ import annotations

import pytest

from tests.hostile.world import MARK, Case, program, wrong
from tests.vpc.scenario import Agent, Scenario

pytestmark = pytest.mark.vpc

AGENT = "/usr/bin/amazon-ssm-agent"
SYSTEMCTL = "/usr/bin/systemctl"
# Without a package's word its own is asked for.
BARE = Scenario(agent=Agent(package_version=None))
BOOTED = Scenario(agent=Agent(unit={}))
UNKNOWN = ("agent-version-unknown",)
SAYS = "echo SSM Agent version: 3.3.1611.0"
ALONE = "</dev/null >/dev/null 2>&1 &"


def binary(body: str, *may_say: str) -> Case:
    return Case(program(AGENT, body), may_say or UNKNOWN, BARE)


def systemctl(body: str) -> Case:
    return Case(program(SYSTEMCTL, body), ("healthy",), BOOTED)


def test_an_agent_binary_may_do_what_it_likes() -> None:
    cases = {
        "hangs": binary(f"sleep {MARK}"),
        "prints 1 GiB": binary("exec head -c 1000000000 /dev/zero"),
        "crashes": binary(f"{SAYS}; kill -SEGV $$"),
        "is stopped": binary("kill -STOP $$"),
        "ignores signals and closes its output": binary(
            f"trap '' TERM INT HUP PIPE; {SAYS}; exec >&-; while :; do sleep {MARK}; done"
        ),
        "steers": binary(rf"printf '\033[31m\342\200\250'; {SAYS}", "healthy"),
        "leaves children that hold its output": binary(f"sleep {MARK} & {SAYS}"),
        "leaves a session": binary(
            f"for i in 1 2 3; do setsid setsid -f sleep {MARK} {ALONE} done; {SAYS}", "healthy"
        ),
    }
    more = {
        "prints for ever": binary(f"yes {MARK}"),
        "prints rubbish": binary("head -c 1000 /dev/urandom"),
        "leaves children": binary(f"sleep {MARK} {ALONE} {SAYS}", "healthy"),
        "breeds": binary(
            'breed() { setsid -f sh -c \'trap "" TERM; [ $0 -gt 40 ] && exec sleep '
            f'{MARK}; exec setsid -f sh -c "$1" $(($0 + 1)) "$1"\' 0 :; }}; breed; {SAYS}',
            "healthy",
        ),
    }
    assert wrong(cases, more) == {}


def test_systemctl_may_do_what_it_likes() -> None:
    cases = {
        "prints rubbish": systemctl(
            r"printf 'LoadState=loaded\nNRestarts=\302\262\nResult=\033[2J'"
        ),
        "hangs and leaves a session": systemctl(
            f"setsid -f sleep {MARK} {ALONE} echo LoadState=loaded; sleep {MARK}"
        ),
    }
    more = {
        "prints 1 GiB": systemctl("echo LoadState=loaded; exec head -c 1000000000 /dev/zero"),
    }
    assert wrong(cases, more) == {}


def test_all_programs_at_once_may_hang() -> None:
    """Each has its time, and none of them keeps the round from its end."""
    everything = Scenario(agent=Agent(package_version=None, unit={}, installed="both"))
    rpm = f"[ ! -x /usr/bin/rpm ] || {{ {program('/usr/bin/rpm', f'sleep {MARK}')} }}"
    hung = "".join(program(path, f"sleep {MARK}") for path in (AGENT, SYSTEMCTL))
    case = Case(f"{rpm}\n{hung}", ("agent-version-unknown", "agent-duplicate"), everything)
    assert wrong({"hang": case}) == {}
