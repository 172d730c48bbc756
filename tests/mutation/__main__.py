"""`./dev mutate [MODULE]...`: whether the tests of the diagnosis notice that it was changed.

Works in a copy, so the work tree stays as it is. See tests/mutation/measure.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHAT = (
    "agentcheck",
    "tests/__init__.py",
    "tests/conftest.py",
    "tests/worlds.py",
    "tests/diagnosis",
    "tests/mutation",
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="agentcheck-mutate-") as folder:
        for name in WHAT:
            source, target = ROOT / name, Path(folder, name)
            target.parent.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        command = [sys.executable, "-m", "tests.mutation.measure", *sys.argv[1:]]
        environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
