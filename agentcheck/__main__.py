"""`python -m agentcheck`; or isolated and by its path, `python -I .../agentcheck/__main__.py`."""

import os
import sys

if __name__ == "__main__":
    if not __package__:  # by its path: what lies beside this package comes first, as with -m
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    from agentcheck.cli import main

    main()
