"""Bounded reads of files that anybody may have written."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Union

BLOCK = 1 << 16


def read_bounded(path: Path, limit: int) -> bytes:
    """Up to `limit` bytes of a regular file. Raises OSError, also for what is no regular file."""
    with open_regular(path) as file:
        # Some files of /proc and /sys have nothing to read for now, which is None.
        return file.read(limit) or b""


def read_whole(path: Path, limit: int) -> bytes:
    """All of a regular file: half of a document is another document. Raises OSError, EFBIG too."""
    found = read_bounded(path, limit + 1)
    if len(found) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes")
    return found


def read_in_pieces(path: Path, limit: int, separator: bytes = b"\n") -> Iterator[bytes]:
    """A regular file of any size in little memory: whole lines, some `BLOCK` bytes at a time.

    What goes on for longer than that without a separator loses its middle. Raises OSError, with
    EFBIG after `limit` bytes.
    """
    with open_regular(path) as file:
        rest, total = b"", 0
        while block := file.read(BLOCK):
            total += len(block)
            if total > limit:
                raise OSError(errno.EFBIG, f"larger than {limit} bytes")
            whole, found, rest = (rest + block).rpartition(separator)
            if found:
                yield whole
            rest = rest[:BLOCK]
        if rest:
            yield rest


def entries_of(folder: Path, limit: int) -> list[str]:
    """The names in a folder, sorted; of more than `limit` any so many. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in islice(entries, limit))


def open_regular(path: Path) -> BinaryIO:
    """Opened without blocking, so that a FIFO in place of a file cannot hold the round."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a NUL in the name, which a setting may hold
        raise OSError(errno.EINVAL, str(error)) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def parse_json(text: Union[str, bytes, bytearray]) -> Any:
    """A JSON document by the standard, as Go reads it. Raises ValueError, RecursionError.

    A number with more digits than any that counts is taken for infinite: to make an integer of
    its digits takes the square of their time, or is refused, by the version of Python.
    """
    return json.loads(text, parse_constant=_no_constant, parse_int=_integer)


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= 20 else float(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
