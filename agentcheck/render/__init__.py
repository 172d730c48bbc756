"""Renderers: one file a format, each a pure `render(report) -> str`.

They read no clock, no file and no socket; FORMATS is the table that the command line uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agentcheck.model import Report
from agentcheck.render import json, text

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text.render,
    "json": json.render,
}
