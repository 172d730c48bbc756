"""What amazon-ssm-agent wrote of itself: what it last failed at, and what it last managed to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from agentcheck.observations.agent import Version

# State of the log. Only `read` says anything of the agent.
READ = "read"
ABSENT = "absent"
UNREADABLE = "unreadable"
FOREIGN = "foreign"

# Kinds of failures.
ACCESS_DENIED = "access-denied"
CLOCK = "clock"
EXPIRED_TOKEN = "expired-token"
REJECTED = "rejected"
NO_ROLE = "no-role"
DNS = "dns"
UNREACHABLE = "unreachable"
TLS = "tls"
THROTTLED = "throttled"
NETWORK = "network"
OTHER = "other"


@dataclass(frozen=True)
class LogEntry:
    """An event of interest.

    `at` is epoch seconds, `kind` one of the kinds above, `text` printable, at most 300 characters
    and without secrets, `action` an IAM action ("ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel") where one was refused, else "". Of a refusal `policy` is
    the kind that its text names and `role` whom it was about, "" where it does not say.
    """

    at: float
    kind: str
    text: str
    action: str = ""
    policy: str = ""
    role: str = ""


@dataclass(frozen=True)
class AgentLog:
    """amazon-ssm-agent.log, read from its end. Times are epoch seconds, in the order of the lines.

    A failure stays open until the agent wrote of a success: after three tries it retries in
    silence (core/app/credentialrefresher, minLog), so neither age nor quiet is health.

    state: `read`, `absent` (no log file), `unreadable` (`error` says why) or `foreign` (nothing
        in it has the agent's format).
    started, running_version: the last start of the core agent that the log still holds.
    newest: the newest line that was read.
    credentials_at: the newest time that ssm accepted the agent's credentials.
    channel_at: the newest sign of an open control channel to ssmmessages; channel_ended: when
        that one was closed or lost, None while nothing says so.
    channel: what the agent last reported, `ssmmessages`, `ec2messages` or "".
    failure: the last unresolved error of what it needs (credentials, registration, ssmmessages).
    denied: unresolved refusals, the newest of each action that it needs.
    asleep_since, retry_at: the agent waits before its next try. `retry_at` may be past when it
        retries in silence (`retries_silenced`).
    hibernating: the worker gave up at its first call to ssm, and asks again ever more rarely.
    truncated: older lines were not read.
    """

    state: str
    path: str = ""
    error: str = ""
    started: Optional[float] = None
    running_version: Optional[Version] = None
    newest: Optional[float] = None
    credentials_at: Optional[float] = None
    channel_at: Optional[float] = None
    channel_ended: Optional[float] = None
    channel: str = ""
    failure: Optional[LogEntry] = None
    denied: Sequence[LogEntry] = ()
    asleep_since: Optional[float] = None
    retry_at: Optional[float] = None
    hibernating: bool = False
    retries_silenced: bool = False
    truncated: bool = False

    @property
    def connected(self) -> bool:
        """Whether the log ends with an open control channel and nothing failed since."""
        if self.channel_at is None or self.channel_ended is not None:
            return False
        if self.started is not None and self.channel_at < self.started:
            return False
        return self.failure is None or self.failure.at < self.channel_at
