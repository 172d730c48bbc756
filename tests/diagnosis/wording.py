"""What the diagnosis says of every world here, in its own words, as one text.

`python -m tests.diagnosis.wording` writes wording.txt anew: its difference is what users would
read otherwise, and is looked at as such before it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agentcheck.diagnosis import diagnose
from agentcheck.diagnosis.notes import notes
from agentcheck.model import Cause
from agentcheck.observations import Observed
from tests.diagnosis.catalogue import BESIDE, WORLDS
from tests.diagnosis.variants_on_the_way import VARIANTS

FILE = Path(__file__).with_name("wording.txt")
ALL = {**WORLDS, **BESIDE, **VARIANTS}


def said(name: str, world: Observed) -> str:
    """Verdict, causes and notes."""
    return "\n".join([f"== {name}", *_lines(name, world)]) + "\n"


def _lines(name: str, world: Observed) -> Iterator[str]:
    verdict, causes = diagnose(world, complete=name != "partial")
    for cause in causes or (verdict,):
        yield from _of(cause)
    for note in notes(world):
        yield f"note {note.code}: {note.text}"


def _of(cause: Cause) -> Iterator[str]:
    yield f"{cause.status} {cause.code} [{cause.reason}] {' '.join(cause.services)}".rstrip()
    yield f"  {cause.summary}"
    yield from (f"  seen: {line}" for line in cause.evidence)
    yield from (f"  do: {line}" for line in cause.remedy)


def recorded() -> dict[str, str]:
    """The text of each world in the file."""
    parts = FILE.read_text("utf-8").split("== ")[1:]
    return {part.partition("\n")[0]: f"== {part}" for part in parts}


if __name__ == "__main__":
    FILE.write_text("".join(said(name, world) for name, world in ALL.items()), "utf-8")
