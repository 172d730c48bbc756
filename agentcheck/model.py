"""What a report is made of: statuses, results, causes, notes, and the errors users meet.

Frozen and standard library only: checks, diagnosis and renderers stand on this module and on
`observations`, and on nothing that can touch the world. The JSON form is `report.schema.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

SCHEMA = "agentcheck.report/1"

# Status of a report, a cause or a check. A report is never `skip` or `error`, a check never
# `unknown`.
OK = "ok"
WARN = "warn"
FAIL = "fail"
UNKNOWN = "unknown"
SKIP = "skip"
ERROR = "error"

# The reason of a check that had nothing to look at, which is not worth a line to a person.
NOT_NEEDED = "not-needed"

# In the daemon only: trouble that is expected for a while (boot, an update of the agent).
PENDING = "pending"

# The order in which causes are listed: a certain failure first, then what could not be seen.
CAUSE_RANK = {FAIL: 0, PENDING: 1, UNKNOWN: 1, WARN: 2, OK: 3}

EXIT_STATUS = {OK: 0, WARN: 1, FAIL: 2, UNKNOWN: 3, PENDING: 3}
EXIT_USAGE = 64  # sysexits.h EX_USAGE
EXIT_CONFIG = 78  # sysexits.h EX_CONFIG
EXIT_INTERRUPTED = 130  # 128 + SIGINT


class AgentcheckError(Exception):
    """An error a user can meet: one line, with the next step in it."""

    exit_status = EXIT_STATUS[UNKNOWN]


class UsageError(AgentcheckError):
    """The command line is wrong."""

    exit_status = EXIT_USAGE


class ConfigError(AgentcheckError):
    """A setting is wrong; the text names its place, what is wrong and what is allowed."""

    exit_status = EXIT_CONFIG


class OutputError(AgentcheckError):
    """The report was made but cannot be written where it should go."""


def printable(text: str) -> str:
    """The text without control characters: what others sent must not steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


@dataclass(frozen=True)
class Result:
    """What one check found.

    `target` is what was looked at (a host, a path), `reason` a stable finer kind, `caused_by` the
    id of the failed check that made this one pointless (then `status` is skip), `phases` seconds
    by phase name.
    """

    id: str
    status: str
    summary: str
    reason: Optional[str] = None
    target: Optional[str] = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    caused_by: Optional[str] = None
    started: Optional[str] = None
    duration_s: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """One independent reason why the instance cannot be reached (or `healthy`)."""

    code: str
    status: str
    summary: str
    evidence: Sequence[str] = ()
    remedy: Sequence[str] = ()
    services: Sequence[str] = ()
    reason: Optional[str] = None

    @property
    def doc(self) -> str:
        """The command that explains the code."""
        return f"agentcheck explain {self.code}"


@dataclass(frozen=True)
class Note:
    """An observation that is nobody's fault."""

    code: str
    text: str


@dataclass(frozen=True)
class Report:
    """One round. `instance`, `agent` and `endpoints` have the shapes of the JSON Schema."""

    agentcheck_version: str
    run_id: str
    started: str
    duration_s: float
    trigger: str
    profile: str
    complete: bool
    verdict: Cause
    causes: Sequence[Cause]
    notes: Sequence[Note]
    checks: Sequence[Result]
    instance: Mapping[str, Any]
    agent: Mapping[str, Any]
    endpoints: Sequence[Mapping[str, Any]]

    @property
    def status(self) -> str:
        """Always the verdict's."""
        return self.verdict.status


@dataclass(frozen=True)
class HistoryEntry:
    """One confirmed change of status or verdict; `previous` is the status before, None at first."""

    time: str
    status: str
    previous: Optional[str]
    verdict: str
    services: Sequence[str]
    run_id: str


@dataclass(frozen=True)
class Live:
    """What the daemon knows beyond its last round.

    `confirmed_status` and `confirmed_verdict` are what `confirm` rounds agreed on, since
    `confirmed_since` (RFC 3339, UTC); `age_s` is the age of the last report, `stale` whether it is
    too old to count; `runs` the rounds by status; `history` newest first.
    """

    confirmed_status: str
    confirmed_verdict: str
    confirmed_since: str
    age_s: float
    stale: bool
    runs: Mapping[str, int] = field(default_factory=dict)
    history: Sequence[HistoryEntry] = ()
