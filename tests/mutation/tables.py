"""Changes of the tables at the top of a module, which mutmut does not touch: it mutates functions.

One table row, entry or word is left out, two neighbours change places, a number or a flag becomes
another. The prose of `explain` is left alone: it is printed as it stands.
"""

from __future__ import annotations

import ast
import copy
import importlib.machinery
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

CPU_S = 60


@dataclass(frozen=True)
class Mutant:
    """A module with one change: the table, what became of it, and the whole text."""

    module: str
    table: str
    what: str
    source: str


Change = tuple[str, str, ast.expr, ast.expr]  # table, what, node, the other node


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every change, once each."""
    seen = {source}
    raw = source.encode()
    starts = [0]
    for text in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    for table, what, node, other in _changes(ast.parse(source)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        changed = (raw[:begin] + ast.unparse(other).encode() + raw[end:]).decode()
        if changed not in seen:
            seen.add(changed)
            yield Mutant(module, table, what, changed)


def _changes(tree: ast.Module) -> Iterator[Change]:
    for statement in tree.body:
        within = isinstance(statement, ast.ClassDef)
        for one in statement.body if isinstance(statement, ast.ClassDef) else [statement]:
            if isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value is not None:
                target = one.target if isinstance(one, ast.AnnAssign) else one.targets[0]
                name = ast.unparse(target)
                yield from _of(one.value, f"{statement.name}.{name}" if within else name)


def _of(node: ast.expr, table: str) -> Iterator[Change]:
    if isinstance(node, ast.Constant):
        for value in _others(node.value):
            yield table, f"{node.value!r} becomes {value!r}", node, ast.Constant(value)
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        for number, element in enumerate(node.elts):
            rest = node.elts[:number] + node.elts[number + 1 :]
            yield table, f"loses {_name(element)}", node, _changed(node, elts=rest)
        if all(isinstance(element, ast.Constant) for element in node.elts):
            for number, (one, other) in enumerate(zip(node.elts, node.elts[1:])):
                swapped = [*node.elts[:number], other, one, *node.elts[number + 2 :]]
                what = f"{_name(one)} and {_name(other)} change places"
                yield table, what, node, _changed(node, elts=swapped)
        for element in node.elts:
            nested = isinstance(element, ast.Tuple) and element.elts
            yield from _of(element, f"{table} {_name(element.elts[0])}" if nested else table)
    elif isinstance(node, ast.Dict):
        for number, key in enumerate(node.keys):
            keys, values = list(node.keys), list(node.values)
            del keys[number], values[number]
            yield table, f"loses {_name(key)}", node, _changed(node, keys=keys, values=values)
        for part in (*node.keys, *node.values):
            if part is not None:
                yield from _of(part, table)
    elif isinstance(node, ast.Call) and not _is_prose(node):
        table = f"{table} {_name(node)}"
        for number, keyword in enumerate(node.keywords):
            left = node.keywords[:number] + node.keywords[number + 1 :]
            yield table, f"loses {ast.unparse(keyword)}", node, _changed(node, keywords=left)
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            yield from _of(part, table)


def _name(node: Optional[ast.expr]) -> str:
    """An entry as it is named in a list of changes: a call by its first argument."""
    if isinstance(node, ast.Call) and node.args:
        return _name(node.args[0])
    return "**" if node is None else ast.unparse(node)


def _is_prose(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "Explain"


def _changed(node: ast.expr, **fields: Any) -> ast.expr:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _others(value: object) -> Sequence[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value + 1]
    if isinstance(value, str):
        return [f"XX{value}XX"]
    return ["XX"] if value is None else []


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads one module from a text in place of its file."""

    def __init__(self, mutant: Mutant, path: str) -> None:
        super().__init__(mutant.module, path)
        self._mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self._mutant.module:
            return None
        place = Path(self.path)
        folders = [str(place.parent)] if place.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, place, loader=self, submodule_search_locations=folders
        )

    def get_code(self, fullname: str) -> Any:
        return compile(self._mutant.source, self.path, "exec", dont_inherit=True)


def run(found: Sequence[Mutant], tests: Sequence[str], jobs: int) -> list[bool]:
    """Whether the tests of this folder notice, for each.

    Each in a child of this process, which has loaded the libraries but nothing of the project.
    """
    import botocore.session  # noqa: F401 - takes longest of what the tests import
    import hypothesis  # noqa: F401
    import pytest  # noqa: F401

    noticed = [False] * len(found)
    running: dict[int, int] = {}
    waiting = list(enumerate(found))
    while waiting or running:
        if waiting and len(running) < jobs:
            number, mutant = waiting.pop(0)
            child = os.fork()
            if child == 0:
                _try(mutant, tests)
            running[child] = number
        else:
            child, status = os.wait()
            noticed[running.pop(child)] = status != 0
    return noticed


def _try(mutant: Mutant, tests: Sequence[str]) -> None:
    """Runs the tests and ends: status 0 when they pass."""
    status = 3
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        file = Path(*mutant.module.split(".")).with_suffix(".py")
        if not file.exists():
            file = file.with_suffix("") / "__init__.py"
        sys.meta_path.insert(0, _Loader(mutant, str(file.absolute())))
        import pytest

        for test in tests:  # most is noticed by the first, and the others need not be collected
            status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", test]))
            if status:
                break
    finally:
        os._exit(status)
