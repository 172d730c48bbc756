"""Renderers: one file a format, each a pure `render(report) -> str`.

They read no clock, no file and no socket. Which there are is told by FORMATS; each is loaded only
when it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

from agentcheck.model import Report

FORMATS: Sequence[str] = ("text", "json", "nagios", "prometheus", "html")


def renderer(name: str) -> Callable[[Report], str]:
    """The function of a format."""
    found: Callable[[Report], str] = importlib.import_module(f"{__name__}.{name}").render
    return found
