"""One round of the command against a hostile world, measured; and what it promises to everybody."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Optional

import jsonschema

from tests.reports import SCHEMA
from tests.vpc import CANARIES, Vpc, default_command, host

DEADLINE_S = 10.0
# For the interpreter to start on a machine that is busy with more such rounds.
START_UP_S = 5.0
# What coverage.py keeps is none of the round's.
PEAK_KIB = (128 if host.measurement() else 64) << 10
EXIT_STATUS = {"ok": 0, "warn": 1, "fail": 2, "unknown": 3}

# Runs a command to its end, on the instance: nothing of it goes to a disk, which may be full.
# ru_maxrss of wait4 is that of the largest of the process and the children that it waited for.
_MEASURE = """
import json, os, signal, subprocess, sys, threading, time
files = [os.memfd_create(name) for name in ("out", "err")]
begun = time.monotonic()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=files[0], stderr=files[1])
end = threading.Timer(float(sys.argv[1]), lambda: os.kill(child.pid, signal.SIGKILL))
end.start()
_, status, usage = os.wait4(child.pid, 0)
wall = time.monotonic() - begun
end.cancel()
code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
printed = [os.pread(file, 1 << 24, 0).decode("utf-8", "backslashreplace") for file in files]
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([code, *printed, wall, cpu, usage.ru_maxrss]))
"""


@dataclass(frozen=True)
class Outcome:
    """What the command did, and what it took: seconds, and KiB of its largest process."""

    returncode: int
    stdout: str
    stderr: str
    wall_s: float
    cpu_s: float
    peak_kib: int

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    @property
    def codes(self) -> list[str]:
        """What is said to be wrong, most important first; `healthy` alone when nothing is."""
        try:
            return [cause["code"] for cause in self.report["causes"]] or ["healthy"]
        except ValueError:
            return []

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept, whatever the world was like."""
        found = []
        if "Traceback" in self.stderr or len(self.stderr) > 500 or _steers(self.stderr):
            found.append(f"stderr: {self.stderr[-500:]!r}")
        if self.wall_s > DEADLINE_S + START_UP_S:
            found.append(f"took {self.wall_s:.1f} s")
        if self.peak_kib > PEAK_KIB:
            found.append(f"took {self.peak_kib >> 10} MiB")
        found += [f"gives {n} away" for n, s in CANARIES.items() if s in self.stdout + self.stderr]
        try:
            report = self.report
            jsonschema.Draft202012Validator(SCHEMA).validate(report)
        except (ValueError, jsonschema.ValidationError) as error:
            return [*found, f"exit {self.returncode}, no report: {str(error)[:200]}"]
        if self.returncode != EXIT_STATUS[report["status"]]:
            found.append(f"exit {self.returncode} for {report['status']}")
        if report["duration_s"] > DEADLINE_S + 1:
            found.append(f"the round took {report['duration_s']} s")
        if any(_steers(text) for text in _texts(report)):
            found.append("a control character in the report")
        # A probe that raised: a crash, though it took nothing else with it.
        found += [
            f"{c['id']}: {c['summary']}" for c in report["checks"] if c["reason"] == "exception"
        ]
        return found


def attack(
    vpc: Vpc,
    *arguments: str,
    env: Optional[Mapping[str, str]] = None,
    prefix: Sequence[str] = (),
) -> Outcome:
    """One round on the instance, as JSON; `prefix` is what starts the command, such as setpriv."""
    command = [*prefix, *default_command(vpc.scenario, "--format", "json", *arguments)]
    limit = str(DEADLINE_S + 2 * START_UP_S)
    done = vpc.run([sys.executable, "-E", "-S", "-c", _MEASURE, limit, *command], env=env)
    assert done.returncode == 0, done.stderr
    return Outcome(*json.loads(done.stdout))


def _steers(text: str) -> bool:
    """Whether the text could do more to a terminal than be read."""
    return not text.replace("\n", "").isprintable()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return [t for part in parts for t in _texts(part)] if isinstance(parts, list) else []


@dataclass(frozen=True)
class Case:
    """What differs from a healthy VPC, and the causes that may be named: one of them must be."""

    changes: Mapping[str, Any]
    may_say: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


def attack_all(cases: Mapping[str, Case], side_by_side: int = 6) -> dict[str, Outcome]:
    """A round for each case, in as many VPCs at once: most of a round is waiting."""
    left = iter(list(cases.items()))
    found = {}

    def work() -> None:
        with Vpc("healthy") as vpc:
            untouched = vpc.scenario
            for name, case in left:
                vpc.scenario = untouched
                if "agent" in case.changes:
                    vpc.stop_agent()
                vpc.update(**case.changes)
                vpc.start_agent()
                for path, text in case.files.items():
                    vpc.put(path, text)
                found[name] = attack(vpc)

    with ThreadPoolExecutor(side_by_side) as pool:
        for done in [pool.submit(work) for _ in range(side_by_side)]:
            done.result()
    return found


def wrong(cases: Mapping[str, Case], found: Mapping[str, Outcome]) -> dict[str, list[str]]:
    """By case what was not as it must be; empty when all is well."""
    complaints = {name: outcome.broken for name, outcome in found.items()}
    for name, case in cases.items():
        # The fake agent's channel was there before, and lives on.
        said = [code for code in found[name].codes if code != "latent-failure"]
        if not said or not set(said) <= set(case.may_say):
            complaints[name].append(f"says {said}, which is none of {case.may_say}")
    return {name: texts for name, texts in complaints.items() if texts}
