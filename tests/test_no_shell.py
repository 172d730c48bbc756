"""What the source may not do: run a shell, run what an input names, evaluate what an input says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vpc import host

SOURCES = [
    *sorted((host.ROOT / "agentcheck").rglob("*.py")),
    host.ROOT / "packaging/scripts/pyz_main.py",
]
# What root runs of the packages and recipes.
SCRIPTS = [
    path
    for folder in ("scripts", "install", "boot", "cloud-init")
    for path in sorted((host.ROOT / "packaging" / folder).iterdir())
    if path.read_text("utf-8").startswith("#!/bin/sh") or path.name.startswith("rpm.")
]
FORBIDDEN = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.fork", "pty.spawn"),
    *("tempfile.mktemp", "yaml.load", "pickle.load", "pickle.loads", "marshal.loads"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "ctypes.CDLL", "asyncio.run"),
}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "yaml", "ctypes", "pty", "commands", "code"}
# Every place that starts a program: the module, the call, what says which program that is.
CALLS = {
    # This program again, by the interpreter that runs it: no word of it comes from an input.
    ("agentcheck/daemon/child.py", "subprocess.Popen", "[*program(), *"),
    ("agentcheck/verbs/daemon.py", "os.execv", "sys.executable"),
    # Where all other programs are started, of which these are all that there are.
    ("agentcheck/probes/command.py", "subprocess.Popen", "[program, *arguments]"),
    ("agentcheck/probes/agent_unit.py", "command.run", "SYSTEMCTL"),
    ("agentcheck/probes/agent_package.py", "command.run", "RPM"),
    # One that nobody but root could have put there, see _only_root_could_write.
    ("agentcheck/probes/agent_package.py", "command.run", "[program]"),
    ("agentcheck/probes/agent_package.py", "command.run", "[str(real)]"),
}
STARTS = re.compile(r"(subprocess\.\w+|os\.(exec|spawn|posix_spawn)\w*|command\.run)$")


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_nothing_runs_a_shell_or_evaluates_a_text() -> None:
    for path in SOURCES:
        for name, call in calls(path):
            assert name not in FORBIDDEN, f"{path}:{call.lineno}: {name}"
            assert not any(keyword.arg == "shell" for keyword in call.keywords), path


def test_no_module_that_turns_bytes_into_objects_or_calls_into_c_is_imported() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found = FORBIDDEN_MODULES & {name.split(".")[0] for name in names}
            # prctl(2), of which Python has no function; no pointer to memory is handed over.
            assert not found - ({"ctypes"} if path.name == "children.py" else set()), path


def test_each_call_that_starts_a_program_is_in_the_table_with_a_fixed_one() -> None:
    found = set()
    for path in SOURCES:
        for name, call in calls(path):
            if STARTS.match(name) and not name.endswith(("TimeoutExpired", "SubprocessError")):
                place = str(path.relative_to(host.ROOT))
                told = ast.unparse(call.args[0])
                known = [c for c in CALLS if c[:2] == (place, name) and told.startswith(c[2])]
                assert known, f"{place}:{call.lineno}: {name}({told}) is not in the table"
                found.update(known)
    assert found == CALLS, "the table has what is not in the source"


@pytest.mark.parametrize("module", ["agent_unit.SYSTEMCTL", "agent_package.RPM"])
def test_the_fixed_programs_have_whole_paths_that_root_owns(module: str) -> None:
    from agentcheck.probes import agent_package, agent_unit

    programs = {
        "agent_unit.SYSTEMCTL": agent_unit.SYSTEMCTL,
        "agent_package.RPM": agent_package.RPM,
    }
    assert all(re.fullmatch(r"(/usr)?/bin/[a-z]+", path) for path in programs[module])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_evaluates_a_text_or_writes_at_a_name_to_guess(path: Path) -> None:
    """What is quoted wrong is found by shellcheck, in `./dev lint`."""
    code = re.sub(r"(?m)^\s*#.*$", "", path.read_text("utf-8"))
    for wrong in (r"\beval\b", r"`", r"\b(ba)?sh -c\b", r"\|\s*(sudo )?(ba)?sh\b", r"/tmp/"):
        assert not re.search(wrong, code), f"{path}: {wrong}"
    # Arguments are seen by all users of the machine.
    assert not re.search(r"-H ['\"]X-aws-ec2-metadata-token:", code), path
