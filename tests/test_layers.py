"""Which part may import which: read from the source, and seen in a real process."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentcheck
from tests.vpc import Vpc
from tests.vpc.host import measurement, unmeasured

ROOT = Path(agentcheck.__file__).parent
# What touches the world: none of it may be loaded by the pure branches.
IMPURE = ("requests", "psutil", "dns", "socket", "subprocess", "systemd", "ssl", "urllib3")
WORLDLY = (
    "agentcheck.probes",
    "agentcheck.facts",
    "agentcheck.ways",
    "agentcheck.console",
    "agentcheck.daemon",
)
PURE = ("agentcheck.checks", "agentcheck.diagnosis", "agentcheck.render")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured())


def _files(package: str) -> list[Path]:
    return sorted((ROOT.parent / package.replace(".", "/")).rglob("*.py"))


@pytest.mark.parametrize("package", PURE)
def test_the_pure_branches_name_nothing_that_touches_the_world(package: str) -> None:
    assert _files(package)
    for path in _files(package):
        for name in _imports(path):
            assert name.split(".")[0] not in IMPURE, path
            assert not name.startswith(WORLDLY), path


@pytest.mark.parametrize("package", PURE)
def test_the_pure_branches_load_nothing_that_touches_the_world(package: str) -> None:
    code = (
        "import pkgutil, importlib, sys\n"
        f"package = importlib.import_module({package!r})\n"
        "for entry in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(entry.name)\n"
        f"print([name for name in {IMPURE!r} if name in sys.modules])\n"
    )
    done = python(code)
    assert done.stdout.strip() == "[]"


def test_explain_and_config_load_no_network_library() -> None:
    code = (
        "import sys, os\n"
        "os._exit = lambda status: print([n for n in ('requests','dns','psutil')"
        " if n in sys.modules], file=sys.stderr)\n"
        "from agentcheck.cli import main\n"
        "main(['explain', 'healthy'])\n"
    )
    done = python(code)
    assert done.stderr.strip() == "[]"


def test_probes_do_not_judge() -> None:
    for path in _files("agentcheck.probes"):
        for name in _imports(path):
            assert not name.startswith(("agentcheck.checks", "agentcheck.diagnosis")), path


@pytest.mark.parametrize(
    ("more", "unwanted"),
    [
        ("", "argparse datetime hashlib random shutil"),
        (
            ", agentcheck.daemon.status_server, agentcheck.render.html, waitress.server",
            "requests dns psutil ssl urllib3 argparse hashlib",
        ),
    ],
)
def test_the_daemon_loads_no_more_than_it_needs(more: str, unwanted: str) -> None:
    """What it holds for months; the second time with its port and page."""
    code = (
        f"import sys, agentcheck.daemon.__main__{more}\n"
        f"print([name for name in {unwanted.split()!r} if name in sys.modules])\n"
    )
    done = python(code)
    assert done.stdout.strip() == "[]"


# What a round may load beside the standard library, and what of that it has no use for: each name
# costs every round of a fleet memory and time, so a new one is added here on purpose or not at all.
LIBRARIES = "certifi chardet charset_normalizer dns idna psutil requests requests_aws4auth urllib3"
NOT_IN_A_ROUND = (
    "asyncio cryptography concurrent dns.asyncresolver dns.zone http.server lxml"
    " multiprocessing sqlite3 systemd unittest urllib3.contrib.pyopenssl waitress xml"
    " agentcheck.daemon.loop agentcheck.daemon.status_server"
    " agentcheck.render.html agentcheck.render.prometheus agentcheck.render.text"
)


@pytest.mark.vpc
def test_a_round_loads_these_libraries_and_no_others() -> None:
    """All that a healthy round loads to its end, as it prints JSON for the daemon."""
    code = (
        "import json, os, sys\n"
        "from agentcheck.cli import main\n"
        "def told(status):\n"
        "    files = {n: getattr(m, '__file__', None) or '' for n, m in sys.modules.items()}\n"
        "    print(json.dumps(files), file=sys.stderr)\n"
        "os._exit = told\n"
        "main(['run', '--format', 'json', '--trigger', 'timer'])\n"
    )
    with Vpc("healthy") as vpc:
        unset = [f"--unset={name}" for name in measurement()]
        outcome = vpc.run(["env", *unset, sys.executable, "-c", code])
    loaded = json.loads(outcome.stderr.splitlines()[-1])
    assert json.loads(outcome.stdout)["verdict"]["code"] == "healthy"
    installed = {n.partition(".")[0] for n, file in loaded.items() if "site-packages" in file}
    assert {"requests", "dns", "psutil"} <= installed
    # Compiled packages bring modules with names of their own making.
    strange = {name for name in installed - set(LIBRARIES.split()) if "mypyc" not in name}
    assert strange <= {"_distutils_hack"}, "pip's own, where it is installed"
    assert set(NOT_IN_A_ROUND.split()) & set(loaded) == set()
