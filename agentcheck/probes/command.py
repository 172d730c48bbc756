"""Other programs: fixed paths, no shell, bounded in time and output, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Optional

from agentcheck.probes.parallel import Task

# What is asked takes milliseconds; a host that swaps may take a second.
TIMEOUT = 2.0
MAX_OUTPUT = 65536


def run(
    programs: Sequence[str], arguments: Sequence[str], pass_fds: Sequence[int] = ()
) -> tuple[Optional[int], str]:
    """Runs the first of `programs` that there is; `pass_fds` as of subprocess.Popen.

    Returns its exit status and first output; `(None, "")` when there is none of them or it did
    not end in time.
    """
    program = next((path for path in programs if os.access(path, os.X_OK)), None)
    if program is None:
        return None, ""
    try:
        process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            cwd="/",
            pass_fds=pass_fds,
            start_new_session=True,
        )
    except OSError:
        return None, ""
    try:
        return _read_and_wait(process)
    finally:
        # The whole session: whatever it started must not stay behind.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            pass  # it waits for a broken disk, which must not hold us


def _read_and_wait(process: subprocess.Popen[bytes]) -> tuple[Optional[int], str]:
    output = process.stdout
    assert output is not None
    # Read in a thread of its own: a child that holds the pipe open must not hold the round.
    end = time.monotonic() + TIMEOUT
    reading = Task(lambda: output.read(MAX_OUTPUT), "command")
    if not reading.finished(TIMEOUT):
        return None, ""
    try:
        status = process.wait(max(0.0, end - time.monotonic()))
        return status, reading.result().decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return None, ""
