"""Instances on which somebody has done something, and what a round may say of them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Optional

from tests.hostile.measure import Outcome, attack
from tests.hostile.rubbish import TIMES
from tests.vpc import Scenario, Vpc

# What planted programs are called with: nothing of that may be left after the round.
MARK = "987654"
_LEFT = f"grep -lsE '{MARK[:-1]}[{MARK[-1]}]|-versio[n]' /proc/[0-9]*/cmdline || true"
SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Case:
    """A shell script that root ran on an instance, and the codes that the round may say first."""

    script: str
    may_say: tuple[str, ...] = ("healthy",)
    scenario: Scenario = field(default_factory=Scenario)
    arguments: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()


def wrong(
    cases: Mapping[str, Case], more: Optional[Mapping[str, Case]] = None
) -> dict[str, list[str]]:
    """By case what was not as it must be; most of a round is waiting, so some run side by side.

    `more` are of the same kind, and tried where more examples are asked for.
    """
    if more and TIMES > 1:
        cases = {**cases, **more}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        complaints = dict(zip(cases, pool.map(_judge, cases.values())))
    return {name: found for name, found in complaints.items() if found}


def _judge(case: Case) -> list[str]:
    with Vpc(case.scenario) as vpc:
        shell(vpc, case.script)
        outcome = attack(vpc, *case.arguments, prefix=case.prefix)
        return complaints_about(outcome, case.may_say) + left_running(vpc)


def complaints_about(outcome: Outcome, may_say: tuple[str, ...]) -> list[str]:
    """The promises that were broken, and a verdict that is none of those allowed."""
    found = outcome.broken
    if outcome.stdout and outcome.codes[0] not in may_say:
        found.append(f"says {outcome.codes}, first none of {may_say}")
    return found


def shell(vpc: Vpc, script: str) -> str:
    """A script of root on the instance; what it leaves in the background must close its streams."""
    done = vpc.run(["/bin/sh", "-ec", script])
    assert done.returncode == 0, done.stderr
    return done.stdout


def left_running(vpc: Vpc) -> list[str]:
    """Planted programs that outlived the round."""
    return [f"left running: {path}" for path in shell(vpc, _LEFT).split()]


def program(path: str, body: str) -> str:
    """A script that puts another program, a shell script, in the place of one."""
    name = f"/opt/{path.rpartition('/')[2]}"
    return (
        f"cat >{name} <<'EOF'\n#!/bin/sh\n{body}\nEOF\n"
        f"chmod 755 {name}; mount --bind {name} {path}\n"
    )
