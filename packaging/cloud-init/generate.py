#!/usr/bin/env python3
"""User data and the Image Builder component, each with packaging/install/install.sh inside.

`generate.py` writes them, `generate.py run-once.yaml` prints one. A test holds that the files are
what this prints. They hold the whole script because an instance without a way out has no other
place to get it from; a `.in` file is the rest, and `@install@` in it the script.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGING = Path(__file__).resolve().parents[1]
INSTALL = PACKAGING / "install/install.sh"
FILES = {
    name: PACKAGING / folder / name
    for folder, name in (
        ("cloud-init", "run-once.sh"),
        ("cloud-init", "run-once.yaml"),
        ("image-builder", "agentcheck.yaml"),
    )
}
# User data is 16 KiB at most (EC2 user guide, "Run commands when you launch an EC2 instance").
LIMIT = 16384


def made(name: str) -> str:
    """The text of a file; the script is indented as its place is. Raises ValueError: too long."""
    lines = []
    for line in FILES[name].with_name(f"{name}.in").read_text("utf-8").splitlines():
        if line.strip() != "@install@":
            lines.append(line)
            continue
        before = line[: line.index("@")]
        # Its comments are for whoever reads the script by itself.
        script = INSTALL.read_text("utf-8").splitlines()
        kept = [row for row in script if not row.startswith("#")]
        lines += [f"{before}{row}" if row else "" for row in ["#!/bin/sh", *kept]]
    text = "\n".join(lines) + "\n"
    if len(text.encode()) > LIMIT:
        raise ValueError(f"{name} is longer than {LIMIT} bytes")
    return text


def main(arguments: Sequence[str]) -> int:
    if arguments:
        sys.stdout.write("".join(made(name) for name in arguments))
        return 0
    for name, path in FILES.items():
        path.write_text(made(name), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
