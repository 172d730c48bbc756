"""`./dev coverage`: the share of the package's lines and branches that the tests take.

Rounds and daemons run as processes of their own, in namespaces and by other users too: each leaves
its part in one folder. How it is measured stands in pyproject.toml.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

LEAST = 95


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="agentcheck-coverage-") as folder:
        Path(folder).chmod(0o1777)  # whoever a test runs it as writes there
        environment = {**os.environ, "COVERAGE_FILE": f"{folder}/data"}
        coverage = [sys.executable, "-m", "coverage"]
        tests = subprocess.run(
            [*coverage, "run", "-m", "pytest", *arguments], env=environment, check=False
        )
        subprocess.run([*coverage, "combine", "-q"], env=environment, check=False)
        report = [*coverage, "report", "-m", "--skip-covered", "--precision=1"]
        report += ["--include=agentcheck/*"]  # not what a single file has unpacked elsewhere
        done = subprocess.run([*report, f"--fail-under={LEAST}"], env=environment, check=False)
    return tests.returncode or done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
