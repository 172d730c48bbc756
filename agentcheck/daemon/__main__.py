"""The daemon without the command line: `python -m agentcheck.daemon [CONFIG]`.

`agentcheck daemon` becomes this once the settings are known to be good. What parses command lines
costs 2 MiB, which a process that idles for months need not hold.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    """Runs until SIGTERM; errors end in one line on stderr and their documented status."""
    from agentcheck.daemon.loop import Daemon
    from agentcheck.model import EXIT_STATUS, UNKNOWN, AgentcheckError, printable
    from agentcheck.settings import Settings, load

    def _load() -> Settings:
        return load(Path(sys.argv[1]) if len(sys.argv) > 1 else None, os.environ)

    try:
        Daemon(_load(), _load).run()
    except AgentcheckError as error:
        sys.stderr.write(f"agentcheck: {printable(str(error))}\n")
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user
        what = f"internal error ({type(error).__name__}); please report it"
        sys.stderr.write(f"agentcheck: {what}\n")
        return EXIT_STATUS[UNKNOWN]
    return 0


if __name__ == "__main__":
    if not __package__:  # by its path: see agentcheck/__main__.py
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    # A thread of the status port may be busy with a slow client: it must not hold the exit.
    os._exit(main())
