"""Measures, in a copy of the project that may be written to: the score and what survives.

mutmut changes the functions, `tables` what stands at the top of the modules. What cannot be
noticed, since nothing that anybody sees depends on it, stands in equivalent.txt with its reason.
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from tests.mutation import tables

PACKAGE = "agentcheck.diagnosis"
# What notices most first. Random worlds are left out: what a mutant meets must be the same every
# time. So is what asks whether the remedies' commands exist: it is slow, and their words are known.
TESTS = [
    "tests/diagnosis/test_wording.py",
    "tests/diagnosis/test_diagnosis.py",
    "tests/diagnosis/test_precedence.py",
    "tests/diagnosis/test_edges.py",
]
GOAL = 85.0
JOBS = len(os.sched_getaffinity(0))
NOTICED = {1, 3, 36, -24, 24, 152, 255, -11, -9}  # failed, or ran without end
CONFIGURATION = """\
[mutmut]
source_paths=
    agentcheck/
only_mutate=
    {}/*
pytest_add_cli_args=
    -p
    no:cacheprovider
pytest_add_cli_args_test_selection=
    {}
use_git_change_detection=false
timeout_multiplier=5
"""


@dataclass(frozen=True)
class Change:
    """One change: where, what, and whether a test failed by it."""

    module: str
    name: str
    changes: tuple[str, ...]
    noticed: bool

    def __str__(self) -> str:
        return "\n".join([f"{self.module} {self.name}", *(f"  {line}" for line in self.changes)])


def in_functions(modules: list[str]) -> Iterator[Change]:
    """By the first of the tests, which is one, and what that does not notice by the others."""
    codes = _mutmut(TESTS[:1], [f"{module}.*" for module in modules if module != PACKAGE])
    codes.update(_mutmut(TESTS[1:], [name for name in codes if codes[name] not in NOTICED]))
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    for name, code in codes.items():
        module, _, function = name.partition("__mutmut_")[0].rpartition(".")
        source = "/".join(module.split(".")) + ".py"
        if not Path(source).exists():
            source = "/".join([*module.split("."), "__init__.py"])
        changes: tuple[str, ...] = ()
        if code not in NOTICED:
            changes = _changed_lines(get_diff_for_mutant(name, path=source))
        yield Change(module, function.removeprefix("x_"), changes, code in NOTICED)


def _mutmut(tests: list[str], wanted: list[str]) -> dict[str, Optional[int]]:
    """What the tests ended with, for each change that was tried."""
    folder = PACKAGE.replace(".", "/")
    Path("setup.cfg").write_text(CONFIGURATION.format(folder, "\n    ".join(tests)), "utf-8")
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(JOBS), *wanted]
    with open("mutmut.log", "wb") as log:
        watched = None if sys.stderr.isatty() else log
        done = subprocess.run(command, stdout=watched, stderr=log, check=False)
    if done.returncode:
        raise SystemExit("mutmut:\n" + Path("mutmut.log").read_text("utf-8")[-3000:])
    codes: dict[str, Optional[int]] = {}
    for path in sorted(Path("mutants", folder).glob("*.py.meta")):
        codes.update(json.loads(path.read_text("utf-8"))["exit_code_by_key"])
    if wanted:
        codes = {name: code for name, code in codes.items() if _is_wanted(name, wanted)}
    return codes


def _is_wanted(name: str, wanted: list[str]) -> bool:
    return name in wanted or any(fnmatch.fnmatch(name, one) for one in wanted if "*" in one)


def _changed_lines(diff: str) -> tuple[str, ...]:
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return tuple(f"{line[0]}{line[1:].strip()}" for line in lines if line[:1] in ("-", "+"))


def in_tables(modules: list[str]) -> Iterator[Change]:
    found = []
    for path in sorted(Path(*PACKAGE.split(".")).glob("*.py")):
        module = str(path.with_suffix("")).replace("/", ".").removesuffix(".__init__")
        if not modules or module in modules:
            found += tables.mutants(module, path.read_text("utf-8"))
    for mutant, noticed in zip(found, tables.run(found, TESTS, JOBS)):
        yield Change(mutant.module, mutant.table, (mutant.what,), noticed)


def equivalent() -> dict[tuple[str, tuple[str, ...]], str]:
    """Module and changed lines, to the reason why nobody can notice."""
    found = {}
    text = Path(__file__).with_name("equivalent.txt").read_text("utf-8")
    for part in text.split("\n\n"):
        lines = [line for line in part.splitlines() if not line.startswith("#")]
        if lines:
            reason, module, *changes = lines
            found[module, tuple(change.strip() for change in changes)] = reason
    return found


def main(arguments: list[str]) -> int:
    modules = [f"{PACKAGE}.{name}" if name != "__init__" else PACKAGE for name in arguments]
    excused = equivalent()
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    survivors = []
    for change in (*in_functions(modules), *in_tables(modules)):
        count = counts[change.module]
        key = (change.module, change.changes)
        if change.noticed:
            count[0] += 1
        elif key in excused:
            count[2] += 1
            excused.pop(key)
        else:
            count[1] += 1
            survivors.append(change)
    for survivor in survivors:
        print(survivor)
    print(f"{'module':<32} noticed survived equivalent  score")
    for module, (noticed, survived, same) in sorted(counts.items()):
        print(f"{module:<32} {noticed:7} {survived:8} {same:10} {_score(noticed, survived):5.1f}%")
    noticed, survived, same = (sum(row[index] for row in counts.values()) for index in range(3))
    score = _score(noticed, survived)
    print(f"{'all':<32} {noticed:7} {survived:8} {same:10} {score:5.1f}%")
    if not modules:
        for module, changes in excused:
            print(f"equivalent.txt names what does not survive: {module} {' '.join(changes)}")
    return 0 if score >= GOAL and (modules or not excused) else 1


def _score(noticed: int, survived: int) -> float:
    return 100.0 * noticed / max(noticed + survived, 1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(130)
