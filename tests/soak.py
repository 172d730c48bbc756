"""`./dev soak`: the tests again and again, each time with other random examples in another order.

Stops at the first failure, and says how that run is repeated.
"""

from __future__ import annotations

import argparse
import random
import shlex
import subprocess
import sys
import time
from typing import Any

TIMES = 10


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="the order of the tests")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Another order of the files, and of the tests in each: what is made for a file stays whole.

    The workers of xdist must agree on the order, so it follows from the seed alone.
    """
    dice = random.Random(config.getoption("--shuffle"))
    files: dict[Any, list[Any]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    order = list(files.values())
    dice.shuffle(order)
    for one in order:
        dice.shuffle(one)
    items[:] = [item for one in order for item in one]


def run(seed: int, arguments: list[str]) -> tuple[int, list[str]]:
    """One run, and its command."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.soak", f"--shuffle={seed}"]
    command += [f"--hypothesis-seed={seed}", "-x", "-q", *arguments]
    return subprocess.run(command, check=False).returncode, command


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev soak", allow_abbrev=False)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10**6), help="the first")
    chosen, others = parser.parse_known_args(arguments)
    took = []
    for seed in range(chosen.seed, chosen.seed + chosen.times):
        print(f"soak: run {len(took) + 1} of {chosen.times}, seed {seed}", flush=True)
        begun = time.monotonic()
        status, command = run(seed, others)
        if status:
            print(f"soak: run {len(took) + 1} of {chosen.times} failed. The same once more:")
            print(f"  {shlex.join(command)}")
            return status
        took.append(time.monotonic() - begun)
    print(
        f"soak: {chosen.times} runs without a failure, seeds {chosen.seed} to"
        f" {chosen.seed + chosen.times - 1}, {min(took):.0f} to {max(took):.0f} s each"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
