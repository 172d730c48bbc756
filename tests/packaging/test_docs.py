"""Man pages and completion: what is checked in is what the tables say, and is read for real."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentcheck import checks
from agentcheck.cli import VERBS
from agentcheck.daemon.journal import MESSAGE_IDS
from agentcheck.diagnosis import ROWS
from agentcheck.render import prometheus
from agentcheck.settings import SETTINGS

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
GENERATED = (
    ("man", "agentcheck.8"),
    ("man", "agentcheck.conf.5"),
    ("completion", "agentcheck.bash"),
    ("completion", "_agentcheck"),
    ("prometheus", "alerts.yml"),
    ("prometheus", "alerts_test.yml"),
)
PAGES = tuple(PACKAGING / "man" / name for name in ("agentcheck.8", "agentcheck.conf.5"))


def generator(folder: str) -> Any:
    """The module packaging/FOLDER/generate.py (its folder is no package)."""
    name = f"agentcheck_generate_{folder}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PACKAGING / folder / "generate.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
    return sys.modules[name]


def needs(*programs: str) -> Callable[[Any], Any]:
    """A test that there is only where one of the programs is: a skip would fail a run in CI."""
    there = any(shutil.which(program) for program in programs)
    return lambda test: test if there else None


@pytest.mark.parametrize(("folder", "name"), GENERATED)
def test_the_file_is_what_its_generator_prints(folder: str, name: str) -> None:
    path = PACKAGING / folder / name
    done = subprocess.run(
        [sys.executable, str(path.with_name("generate.py")), name],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = done.stdout == path.read_text("utf-8")
    assert made, f"the tables have changed since: run packaging/{folder}/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_man_page_is_plain_ascii_without_trailing_blanks(page: Path) -> None:
    text = page.read_bytes()
    assert all(byte == 10 or 32 <= byte < 127 for byte in text)
    assert not re.search(rb"[ \t]\n", text)


READERS = {
    "groff": ["groff", "-man", "-ww", "-z"],
    "man": ["man", "--warnings", "-l"],
    "mandoc": ["mandoc", "-Tlint", "-Wwarning"],
}
# A page without a date is the same page tomorrow.
WANTED_COMPLAINT = "missing date"


@needs(*READERS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("reader", [name for name in READERS if shutil.which(name)])
def test_no_reader_of_man_pages_complains(reader: str, page: Path) -> None:
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
    done = subprocess.run(
        [*READERS[reader], str(page)], capture_output=True, text=True, timeout=60, env=env
    )
    said = (done.stderr if reader == "man" else done.stdout + done.stderr).splitlines()
    assert [line for line in said if WANTED_COMPLAINT not in line] == []
    if reader == "man":
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_man_page_tells_of_every_verb_code_check_id_and_metric() -> None:
    text = PAGES[0].read_text("utf-8").replace("\\-", "-")
    words = [f"agentcheck {verb}" for verb in VERBS]
    words += [*ROWS, *(check.id for check in checks.discover()), *MESSAGE_IDS.values()]
    words += [metric.name for metric in prometheus._METRICS]
    assert [word for word in words if word not in text] == []


def test_the_man_page_of_the_settings_tells_each_with_default_and_what_is_allowed() -> None:
    text = PAGES[1].read_text("utf-8").replace("\\-", "-")
    for setting in SETTINGS:
        assert f"\\fB{setting.key}\\fR = \\fI{setting.default or '(empty)'}\\fR" in text
        assert setting.kind.allowed in text
        assert f"AGENTCHECK_{setting.section}_{setting.key}".upper() in text


def test_a_line_that_begins_like_a_request_is_text() -> None:
    man = generator("man")
    assert man.escaped(".conf files, C:\\x and don't") == "\\&.conf files, C:\\ex and don't"
    assert man.escaped("'quoted' -x") == "\\&'quoted' \\-x"


BASH = r"""
source "$1"
shift
complete -p agentcheck >/dev/null || exit 9
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_agentcheck agentcheck "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""
# compadd is what every completion of zsh ends in; TAB is pressed in a shell on a pseudo terminal.
ZSH = r"""
zmodload zsh/zpty
zpty -b z zsh -f -i
zpty -w z "PS1=; fpath=(${(q)1} \$fpath); autoload -U compinit; compinit -u -D"
zpty -w z 'compadd() {
    local -a __hits; local __flag
    builtin compadd -O __hits "$@"
    (( $#__hits )) && print -rl -- "HIT "$^__hits >>$AGENTCHECK_HITS
    builtin compadd "$@"
}'
zpty -w z "zstyle ':completion:*' insert-tab false; print READY >>\$AGENTCHECK_HITS"
repeat 100 { [[ -s $AGENTCHECK_HITS ]] && break; sleep 0.1 }
zpty -n -w z "$2"$'\t'
repeat 100 { grep -q HIT $AGENTCHECK_HITS && break; sleep 0.05 }
sleep 0.2
zpty -d z
"""


def in_bash(*words: str) -> list[str]:
    """What bash offers in the place of the last word."""
    done = subprocess.run(
        [
            "bash",
            "--norc",
            "-c",
            BASH,
            "bash",
            str(PACKAGING / "completion/agentcheck.bash"),
            *words,
        ],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def in_zsh(tmp_path: Path, *words: str) -> list[str]:
    """What zsh offers in the place of the last word."""
    hits = tmp_path / "hits"
    hits.touch()
    subprocess.run(
        ["zsh", "-f", "-c", ZSH, "zsh", str(PACKAGING / "completion"), " ".join(words)],
        env={**os.environ, "AGENTCHECK_HITS": str(hits), "TERM": "dumb", "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        timeout=40,
        check=True,
    )
    lines = hits.read_text("utf-8").splitlines()
    assert "READY" in lines
    return [line[4:] for line in lines if line.startswith("HIT ")]


IDS = [check.id for check in checks.discover()]
# The words typed so far, and what is offered for the last one.
OFFERS = {
    "verbs": (["agentcheck", ""], list(VERBS)),
    "part of a verb": (["agentcheck", "ru"], ["run"]),
    "choices": (["agentcheck", "run", "--trigger", ""], ["manual", "boot", "timer", "signal"]),
    "part of a choice": (["agentcheck", "status", "--format", "j"], ["json"]),
    "flags": (["agentcheck", "run", "--fail"], ["--fail-on"]),
    "checks": (["agentcheck", "run", "--only", "tcp."], [i for i in IDS if i.startswith("tcp.")]),
    "codes": (["agentcheck", "explain", "role-"], [c for c in ROWS if c.startswith("role-")]),
}


@pytest.mark.parametrize(("words", "offered"), OFFERS.values(), ids=OFFERS)
def test_bash_completes(words: list[str], offered: list[str]) -> None:
    assert set(offered) <= set(in_bash(*words))
    assert all(found.startswith(words[-1]) for found in in_bash(*words))


def test_bash_completes_the_next_of_several_checks_and_none_twice() -> None:
    found = in_bash("agentcheck", "run", "--skip", "tcp.ssm,tcp.")
    assert "tcp.ssm,tcp.ssmmessages" in found
    assert "tcp.ssm,tcp.*" in found
    assert "tcp.ssm,tcp.ssm" not in found


def test_bash_completes_after_an_equals_sign() -> None:
    """bash cuts `--format=js` into three words."""
    assert in_bash("agentcheck", "run", "--format", "=") == in_bash(
        "agentcheck", "run", "--format", ""
    )
    assert in_bash("agentcheck", "run", "--format", "=", "js") == ["json"]


def test_bash_completes_files(tmp_path: Path) -> None:
    (tmp_path / "settings.conf").touch()
    assert in_bash("agentcheck", "daemon", "--config", f"{tmp_path}/set") == [
        f"{tmp_path}/settings.conf"
    ]


def test_bash_offers_every_flag_of_every_verb() -> None:
    for verb in generator("completion").verbs():
        assert in_bash("agentcheck", verb.name, "--") == [flag.name for flag in verb.flags]


@needs("zsh")
@pytest.mark.parametrize(("words", "offered"), OFFERS.values(), ids=OFFERS)
def test_zsh_completes(words: list[str], offered: list[str], tmp_path: Path) -> None:
    found = in_zsh(tmp_path, *words)
    assert set(offered) <= set(found)


@needs("zsh")
def test_zsh_completes_the_next_of_several_checks(tmp_path: Path) -> None:
    assert "ssmmessages" in "".join(in_zsh(tmp_path, "agentcheck", "run", "--only", "disk,tcp."))


@needs("shellcheck")
def test_shellcheck_has_nothing_to_say_of_the_bash_completion() -> None:
    done = subprocess.run(
        ["shellcheck", str(PACKAGING / "completion/agentcheck.bash")],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")
