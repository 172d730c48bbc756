"""What agentcheck depends on, read out of pyproject.toml, which is the only list of it.

`python requirements.py` checks the recorded versions against that list: exit 1 when some lack.
"""

import ast
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYPROJECT = HERE.parent.parent / "pyproject.toml"
# What builds of packages take from the index.
PACKAGING = PYPROJECT.with_name("packaging") / "requirements.txt"


def array(key: str) -> list[str]:
    """A list of strings in pyproject.toml (Python 3.9 has no tomllib).

    Such a list is also a Python literal, comments and trailing commas included.
    """
    text = PYPROJECT.read_text("utf-8")
    found = re.search(rf"^{key} = (\[.*?\])[ \t]*$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit(f"requirements.py: no `{key} = [...]` in {PYPROJECT}")
    return list(ast.literal_eval(found.group(1)))


def dependencies() -> list[str]:
    """What it cannot do without, and what the status port needs."""
    return array("dependencies") + array("port")


def journal() -> list[str]:
    """systemd-python, which has to be built and which it can do without."""
    return array("journal")


def floor(requirement: str) -> str:
    """`name>=1.2` as `name==1.2`."""
    found = re.match(r"([\w.\[\]-]+)\s*>=\s*([\w.]+)\s*(;.*)?$", requirement)
    if found is None:
        raise SystemExit(f"requirements.py: {requirement!r} names no floor (name>=version)")
    return f"{found.group(1)}=={found.group(2)}{found.group(3) or ''}"


def lines(path: Path) -> list[str]:
    """The requirements in a file, without its comments."""
    stripped = (line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in stripped if line]


def name(requirement: str) -> str:
    """The normalised name (PEP 503) that a requirement begins with."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


# A requirement as `./dev lock` records it: to the version, with the hash of each of its files and
# what wants it.
_PIN = re.compile(
    r"^([\w.-]+)==([\w.+!-]+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)(?:\n? +# via (.*))?$", re.M
)


def recorded(text: str) -> "dict[str, re.Match[str]]":
    """The pins in it by name: the groups are name, version, hashes and what wants it."""
    return {name(pin[1]): pin for pin in _PIN.finditer(text)}


def pinned(text: str, wanted: list[str]) -> str:
    """Of the pins in it those of these requirements and of all that they need in turn."""
    pins = recorded(text)
    chosen = {name(one) for one in wanted}
    while True:
        more = {n for n, pin in pins.items() if chosen & {*map(name, (pin[4] or "").split(", "))}}
        if more <= chosen:
            return "".join(
                f"{pin[1]}=={pin[2]}{pin[3]}\n" for n, pin in pins.items() if n in chosen
            )
        chosen |= more


def check() -> list[str]:
    """What the recorded versions lack, one complaint a line."""
    direct = dependencies() + journal()
    tools = lines(HERE / "test.txt") + lines(HERE / "lint.txt")
    complaints = []
    for path in [*sorted(HERE.glob("*lock*.txt")), HERE / "floors.txt", PACKAGING]:
        pins = recorded(path.read_text("utf-8"))
        every = {name(line) for line in lines(path) if not line.startswith("--hash")}
        complaints += [
            f"{path.name} lacks the hashes of {one}" for one in sorted(every - set(pins))
        ]
        wanted = {name(one) for one in direct + tools} if path.name.startswith("lock-") else set()
        complaints += [f"{path.name} lacks {one}" for one in sorted(wanted - set(pins))]
        if path.name == "floors.txt":
            old = {f"{one}=={pin[2]}" for one, pin in pins.items()}
            oldest = {floor(one).split(";")[0].strip().lower() for one in direct}
            complaints += [f"{path.name} lacks {one}" for one in sorted(oldest - old)]
    return complaints


if __name__ == "__main__":
    found = check()
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
