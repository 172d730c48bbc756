#!/usr/bin/env python3
"""The completions of bash and zsh, made from the parsers: `generate.py` writes them beside itself.

`generate.py agentcheck.bash` prints one. A test holds that the files are what this prints. Both
are plain lists: a completion that started agentcheck at every TAB would be slow.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agentcheck import checks  # noqa: E402
from agentcheck.cli import _parser  # noqa: E402
from agentcheck.diagnosis import ROWS  # noqa: E402

DURATIONS = ("90s", "5m", "1h")
# What a value is, by its metavar; choices are known without.
FILES = ("FILE", "FILE|-", "[FILE|-]")


@dataclass(frozen=True)
class Word:
    """A flag, or an argument (`name` is empty); `kind` is none, one, list or file."""

    name: str
    help: str
    kind: str
    values: Sequence[str] = ()
    repeats: bool = False


@dataclass(frozen=True)
class Verb:
    name: str
    help: str
    words: Sequence[Word]

    @property
    def flags(self) -> list[Word]:
        return [word for word in self.words if word.name]

    @property
    def argument(self) -> Optional[Word]:
        return next((word for word in self.words if not word.name), None)


def verbs() -> list[Verb]:
    for action in _parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return [_verb(name, sub) for name, sub in action.choices.items()]
    raise SystemExit("generate.py: the command line has no verbs")


def _verb(name: str, parser: argparse.ArgumentParser) -> Verb:
    return Verb(name, str(parser.description), [_word(action) for action in parser._actions])


def _word(action: argparse.Action) -> Word:
    name = action.option_strings[-1] if action.option_strings else ""
    text = action.help or ""
    metavar = str(action.metavar)
    if action.choices:
        return Word(name, text, "one", [str(choice) for choice in action.choices])
    if action.option_strings and action.nargs == 0:
        return Word(name, text, "none")
    if metavar in FILES:
        return Word(name, text, "file")
    if metavar == "ID,...":
        return Word(name, text, "list", repeats=True)
    if metavar == "DURATION":
        return Word(name, text, "one", DURATIONS)
    if metavar == "CODE":
        return Word(name, text, "one", tuple(ROWS))
    raise SystemExit(f"generate.py: cannot complete {name or metavar}: say here what it takes")


def _ids() -> tuple[str, ...]:
    """The checks, and a pattern for each family of them."""
    found = checks.discover()
    families = dict.fromkeys(f"{check.family}.*" for check in found if check.service)
    return (*(check.id for check in found), *families)


# --- bash --------------------------------------------------------------------------------------


def bash() -> Iterator[str]:
    found = verbs()
    yield "# bash completion of agentcheck, made by packaging/completion/generate.py; do not edit."
    yield "# Needs nothing but bash."
    yield "# shellcheck shell=bash"
    yield from BASH_HELPERS.splitlines()
    yield "_agentcheck() {"
    yield "    local cur=${COMP_WORDS[COMP_CWORD]} prev='' verb='' i"
    yield f"    local checks='{' '.join(_ids())}'"
    yield "    COMPREPLY=()"
    yield "    ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}"
    yield "    # bash cuts --flag=value into three words."
    yield "    if [[ $cur == = ]]; then"
    yield "        cur=''"
    yield "    elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then"
    yield "        prev=${COMP_WORDS[COMP_CWORD - 2]}"
    yield "    fi"
    yield "    for ((i = 1; i < COMP_CWORD; i++)); do"
    yield "        [[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }"
    yield "    done"
    yield "    case $verb in"
    yield "    '')"
    yield f'        _agentcheck_one "{" ".join([v.name for v in found])} --help --version"'
    yield "        ;;"
    for verb in found:
        yield f"    {verb.name})"
        yield "        case $prev in"
        for flag in verb.flags:
            if flag.kind != "none":
                yield f"        {flag.name}) {_bash_value(flag)}; return ;;"
        yield "        esac"
        names = " ".join(flag.name for flag in verb.flags)
        if verb.argument is not None:
            yield "        if [[ $cur != -* ]]; then"
            yield f"            {_bash_value(verb.argument)}"
            yield "            return"
            yield "        fi"
        yield f'        _agentcheck_one "{names}"'
        yield "        ;;"
    yield from ("    esac", "}", "complete -F _agentcheck agentcheck")


BASH_HELPERS = """\
_agentcheck_one() { # _agentcheck_one WORDS: one of them
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}
_agentcheck_list() { # _agentcheck_list WORDS: some of them, divided by commas
    local before='' word
    [[ $cur != *,* ]] || before=${cur%,*},
    COMPREPLY=()
    for word in $(set -f; compgen -W "$1" -- "${cur##*,}"); do
        [[ ,$before == *",$word,"* ]] || COMPREPLY+=("$before$word")
    done
    compopt -o nospace 2>/dev/null
}
_agentcheck_file() {
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
}"""


def _bash_value(word: Word) -> str:
    if word.kind == "file":
        return "_agentcheck_file"
    if word.kind == "list":
        return '_agentcheck_list "$checks"'
    return f"_agentcheck_{word.kind} '{' '.join(word.values)}'"


# --- zsh ---------------------------------------------------------------------------------------


def zsh() -> Iterator[str]:
    found = verbs()
    yield "#compdef agentcheck"
    yield "# zsh completion of agentcheck, made by packaging/completion/generate.py; do not edit."
    yield ""
    yield "_agentcheck() {"
    yield "    local curcontext=$curcontext state line"
    yield "    typeset -A opt_args"
    yield f"    local -a checks=({' '.join(map(_quoted, _ids()))})"
    yield "    _arguments -C -S \\"
    yield "        '(-h --help)'{-h,--help}'[show help]' '--version[print the version]' \\"
    yield "        '1: :->verb' '*:: :->rest' && return"
    yield "    case $state in"
    yield "    verb)"
    yield "        local -a verbs=("
    for verb in found:
        yield f"            {_quoted(f'{verb.name}:{_one_line(verb.help)}')}"
    yield "        )"
    yield "        _describe verb verbs"
    yield "        ;;"
    yield "    rest)"
    yield "        case $words[1] in"
    for verb in found:
        yield f"        {verb.name})"
        yield "            _arguments -S \\"
        specs = [_zsh_spec(word) for word in verb.words]
        for number, spec in enumerate(specs, 1):
            yield f"                {_quoted(spec)}{'' if number == len(specs) else f' {chr(92)}'}"
        yield "            ;;"
    yield from ("        esac", "        ;;", "    esac", "}", "", '_agentcheck "$@"')


def _zsh_spec(word: Word) -> str:
    action = {
        "none": "",
        "one": f"({' '.join(word.values)})",
        "file": "_files",
        "list": "_sequence compadd -a checks",
    }[word.kind]
    if not word.name:
        return f"1:argument:{action}"
    text = _one_line(word.help).replace("\\", "\\\\").replace("]", "\\]").replace("[", "\\[")
    spec = f"{'*' if word.repeats else ''}{word.name}{f'[{text}]' if text else ''}"
    return spec if word.kind == "none" else f"{spec}:{word.name[2:]}:{action}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


SHELLS = {"agentcheck.bash": bash, "_agentcheck": zsh}


def script(name: str) -> str:
    return "".join(f"{line}\n" for line in SHELLS[name]())


def main(arguments: Sequence[str]) -> int:
    if arguments:
        sys.stdout.write("".join(script(name) for name in arguments))
        return 0
    for name in SHELLS:
        Path(__file__).with_name(name).write_text(script(name), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
