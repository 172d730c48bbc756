"""Errors in the agent's log: what they are about, which are open, how they may be shown. Pure.

Texts of errors: Go's net, net/http and crypto/tls, AWS SDK for Go v1, AWS common errors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from agentcheck.model import printable
from agentcheck.observations.agent_log import (
    ACCESS_DENIED,
    CLOCK,
    DNS,
    EXPIRED_TOKEN,
    NETWORK,
    NO_ROLE,
    OTHER,
    REJECTED,
    THROTTLED,
    TLS,
    UNREACHABLE,
    LogEntry,
)
from agentcheck.observations.permission import policy_in, role_in
from agentcheck.probes.agent_log_lines import Line

MAX_TEXT = 300
# A black-holed address is first complained of 129 s after the start, the role's call again as
# long after (seen with real agents); twice that, rounded up.
FRESH = 600
EXPIRY = 86400

UPDATE = "ssm:UpdateInstanceInformation"
TOKEN = "ssm:RequestManagedInstanceRoleToken"
REGISTER = "ssm:RegisterManagedInstance"
CREATE_CHANNEL = "ssmmessages:CreateControlChannel"
SSM_ACTIONS = (UPDATE, TOKEN, REGISTER)
CONTROL_ACTIONS = (CREATE_CHANNEL, "ssmmessages:OpenControlChannel")
DATA_ACTIONS = ("ssmmessages:CreateDataChannel", "ssmmessages:OpenDataChannel")
_NEEDED = (*SSM_ACTIONS, *CONTROL_ACTIONS, *DATA_ACTIONS)

# First match wins: a text that names the cause of a failed request names the request as well.
_KINDS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (CLOCK, r"signature expired|signature not yet current"),
        (EXPIRED_TOKEN, r"ExpiredToken|token included in the request is expired"),
        (ACCESS_DENIED, r"AccessDenied|not authorized to perform"),
        (DNS, r"no such host|server misbehaving|\blookup \S{1,255} on \S{1,80}: |: lookup \S+: "),
        # Of the connection, not of an answer that never came over it.
        (
            UNREACHABLE,
            r"\bdial (?:tcp|udp)[^\n]{0,200}(?:i/o timeout|refused|no route|unreachable|timed out)",
        ),
        (TLS, r"\bx509: |\btls: "),
        (NO_ROLE, r"no EC2 instance role found|EC2RoleRequestError"),
        (
            REJECTED,
            r"UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch"
            r"|IncompleteSignature|MissingAuthenticationToken|FingerprintDoesNotMatch",
        ),
        (THROTTLED, r"throttl|Rate exceeded|TooManyRequests|RequestLimitExceeded"),
        (
            NETWORK,
            r"RequestError|send request failed|failed to make http client call|i/o timeout"
            r"|connection reset|\bEOF\b|websocket: close|deadline exceeded|handshake timeout",
        ),
    )
)
_REFUSED = re.compile(r"not authorized to perform: ([a-z0-9-]{2,40}:[A-Za-z]{2,80})")


def kind_of(text: str) -> str:
    """What an error is about, one of the kinds of observations.agent_log."""
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), OTHER)


def refused_action(text: str) -> str:
    """The IAM action that a text of AccessDenied names, else ""."""
    found = _REFUSED.search(text)
    return found[1] if found else ""


# Go quotes the whole proxy setting where it refuses it (net/http, "invalid proxy address").
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*')
# What follows these is a signed request; it may go on to the end of the text.
_REQUEST = re.compile(r"(?:the )?canonical string|authorization[\"']?\s{0,3}[:=]", re.IGNORECASE)
_VALUE = re.compile(
    r"((?:x-amz-security-token|metadata-token|session[ -]?token|token-?value|secret-?access-?key"
    r"|access-?key-?id|passw(?:or)?d|credential|signature|\btoken)[\"']?\s{0,3}[=:>]\s{0,3})"
    r"(?!\s)[^\s,;&<]+",
    re.IGNORECASE,
)
# In sentences these words are followed by a colon and no secret.
_SENTENCE = re.compile(r"(?:signature|credential|token)\s*:", re.IGNORECASE)
_ACCESS_KEY = re.compile(r"\b(A[KS]IA)[A-Z0-9]{8,}")
_BLOB = re.compile(r"[A-Za-z0-9+/=_%-]{100,}")
_LAST_ERROR = re.compile(r".*(?<!\w)[Ee]rr(?:or)?: (?=\S)")


def shown(text: str) -> str:
    """The text for people: one line, at most `MAX_TEXT` characters, nothing secret in it.

    Gone are users and passwords of URLs, requests that a refused signature is explained with,
    tokens, and of access keys all but the four first characters.
    """
    found = _REQUEST.search(text)
    if found:
        text = text[: found.start()]
    text = _QUOTED.sub(lambda quoted: _without_user(quoted[0]), text)
    # A password may hold any of `/?#[@"`: the last `@` of a word counts.
    text = " ".join(word.rpartition("@")[2] for word in text.split())
    text = _VALUE.sub(_masked, text)
    text = _BLOB.sub("***", _ACCESS_KEY.sub(r"\1***", text))
    text = printable(text).strip()
    if len(text) > MAX_TEXT:
        # The reason stands at the end, what the agent did at the beginning.
        found = _LAST_ERROR.match(text)
        text = text[found.end() :] if found else text
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


def _without_user(quoted: str) -> str:
    _, user, rest = quoted.rpartition("@")
    return f'"@{rest}' if user else quoted


def _masked(found: re.Match[str]) -> str:
    return found[0] if _SENTENCE.match(found[1]) else f"{found[1]}***"


class OpenErrors:
    """The errors that no success resolved yet."""

    def __init__(self) -> None:
        # The last failure of each part of the agent, the newest last.
        self._failures: dict[str, LogEntry] = {}
        self._denied: dict[str, LogEntry] = {}

    def fail(self, part: str, line: Line, action: str = "", kind: str = "") -> None:
        """A part of the agent failed at `action`; `kind` where the text does not say it."""
        kind = kind or kind_of(line.message)
        entry = self.refuse(line, action, kind) or LogEntry(line.at, kind, line.message)
        self._failures.pop(part, None)
        self._failures[part] = entry

    def refuse(self, line: Line, action: str = "", kind: str = "") -> Optional[LogEntry]:
        """Keeps a refusal, if it is one: of the action in the text, else of the one asked for."""
        if (kind or kind_of(line.message)) != ACCESS_DENIED:
            return None
        action = refused_action(line.message) or action
        entry = LogEntry(line.at, ACCESS_DENIED, line.message, action)
        if action in _NEEDED:
            self._denied[action] = entry
        return entry

    def resolve(self, parts: Sequence[str], actions: Sequence[str]) -> None:
        """A success: these parts work, these actions are allowed."""
        for part in parts:
            self._failures.pop(part, None)
        for action in actions:
            self._denied.pop(action, None)

    def expire(self, now: float, started: Optional[float], newest: float, has_info: bool) -> None:
        """Ends what cannot be resolved by a line: see the rules in agent_log_story."""

        def ended(entry: LogEntry) -> bool:
            if started is not None and entry.at < started <= newest - FRESH:
                return True
            # Nothing tells that a session would open now where nobody tries.
            expires = entry.action in DATA_ACTIONS or not has_info
            return expires and now - entry.at > EXPIRY

        self._failures = {part: e for part, e in self._failures.items() if not ended(e)}
        self._denied = {action: e for action, e in self._denied.items() if not ended(e)}

    @property
    def failure(self) -> Optional[LogEntry]:
        """The last one, to be shown."""
        still = dict(self._failures)
        credentials, registrar = still.get("credentials"), still.get("registrar")
        if credentials and registrar:
            # Both are calls of ssm. The refresher drops the cause of a RequestError, the
            # registrar keeps it; of anything else the role's error is the one that matters.
            vague = credentials.kind == NETWORK and registrar.kind in (DNS, UNREACHABLE, TLS)
            still.pop("credentials" if vague else "registrar")
        last = list(still.values())[-1:]
        return _shown(last[0]) if last else None

    @property
    def denied(self) -> Sequence[LogEntry]:
        """The newest refusal of each action, to be shown."""
        return tuple(_shown(entry) for entry in self._denied.values())


def _shown(entry: LogEntry) -> LogEntry:
    """For people; what its words tell is taken out before they are cut."""
    refused = entry.kind == ACCESS_DENIED
    return replace(
        entry,
        text=shown(entry.text),
        policy=policy_in(entry.text) if refused else "",
        role=role_in(entry.text) if refused else "",
    )
