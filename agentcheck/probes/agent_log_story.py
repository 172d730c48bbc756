"""What the lines of the agent's log add up to: what failed, and what of it was resolved. Pure.

Texts of the lines: agent source of 2024-10 (core/app/{agent,credentialrefresher,registrar},
common/identity/credentialproviders/ec2roleprovider, agent/session/{controlchannel,communicator},
agent/messageservice/interactor/mgsinteractor, agent/ssmconnectionchannel, agent/hibernation), and
of agents since 2.3 as seen in its issues. A line that is not known says nothing.

Rules, and why:
- Only a success resolves, never age: after three tries the refresher logs its retries at DEBUG, so
  a failure of last week followed by quiet is a failure. A success is always logged, at INFO.
- Where the log holds no INFO line (seelog.xml with a higher minlevel) successes cannot be seen:
  there a failure ends after `EXPIRY`.
- A start alone resolves nothing, but all is tried again at once and errors come in minutes: with
  `FRESH` of lines after it, what failed before the start and not since has ended.
- "channel status is set to ssmmessages" is no success by itself: the line is also written when a
  reconnect fails, with the status that was there before. A status that goes from ssmmessages to
  ec2messages is CreateControlChannel refused: nothing else sets it, and nothing else is logged.
- ec2messages complains at every healthy start where only ssmmessages is there: it is not known.
- ssm resolves ssm, and ssmmessages resolves ssmmessages. What is refused but not needed to be
  reached (inventory, associations) is left out: nothing in the log would ever resolve it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Optional

from agentcheck.observations.agent import Version, parse_version
from agentcheck.observations.agent_log import ACCESS_DENIED, NETWORK, OTHER, READ, AgentLog
from agentcheck.observations.network import EC2MESSAGES, SSMMESSAGES
from agentcheck.probes.agent_log_errors import (
    CONTROL_ACTIONS,
    CREATE_CHANNEL,
    DATA_ACTIONS,
    REGISTER,
    SSM_ACTIONS,
    TOKEN,
    UPDATE,
    OpenErrors,
    kind_of,
)
from agentcheck.probes.agent_log_lines import Line, duration

# The service closes channels every hour or so; the agent is back in 5 to 15 s (session/config).
RECONNECT = 120
LOGGED_TRIES = 3  # credentialrefresher.go, minLog
FIRST_PING = 300  # hibernation.go, initialPingRate

_CHANNEL = re.compile(r"\[(?:MGSInteractor|MessageGatewayService)\]")  # the second before 3.1
_REFRESHER = re.compile(r"\[CredentialRefresher\]")
_REGISTRAR = re.compile(r"\[Registrar\]")
_SESSION = re.compile(r"\[ssm-session-worker\]")
_ANYWHERE = re.compile("")

_Found = re.Match[str]
_Action = Callable[["Story", Line, _Found], None]
_EVENTS: list[tuple[re.Pattern[str], re.Pattern[str], _Action]] = []


def _on(message: str, where: re.Pattern[str] = _ANYWHERE) -> Callable[[_Action], _Action]:
    """The method takes lines whose message begins so, in that context."""

    def register(action: _Action) -> _Action:
        _EVENTS.append((where, re.compile(message), action))
        return action

    return register


class Story:
    """Told line by line, it ends as an AgentLog."""

    def __init__(self) -> None:
        self.started: Optional[float] = None
        self.version: Optional[Version] = None
        self.newest: Optional[float] = None
        self.credentials_at: Optional[float] = None
        self.channel_at: Optional[float] = None
        self.channel_ended: Optional[float] = None
        self.channel = ""
        self.errors = OpenErrors()
        self.tries = 0
        self.role_refused = False
        self.accepted = False
        self.has_info = False
        self.has_debug = False
        self.lost: Optional[Line] = None
        self.sleeps: dict[str, tuple[float, float]] = {}
        self.hibernating: Optional[float] = None
        self.woke = 0.0

    def tell(self, line: Line) -> None:
        """Takes the next line of amazon-ssm-agent.log."""
        self.newest = line.at
        self.has_info = self.has_info or line.level in ("TRACE", "DEBUG", "INFO")
        for where, message, action in _EVENTS:
            found = message.match(line.message)
            if found and where.search(line.context):
                action(self, line, found)
                return
        if line.level in ("WARN", "ERROR", "CRITICAL"):
            self.errors.refuse(line)

    # --- the core agent ------------------------------------------------------------------------

    @_on(r"amazon-ssm-agent - v\d")
    def _start(self, line: Line, found: _Found) -> None:
        self.started, self.version = line.at, parse_version(line.message)
        self.tries, self.accepted, self.has_debug, self.role_refused = 0, False, False, False
        self.errors.resolve(["start"], ())
        self._stop(line, found)

    @_on(r"Stopping Core Agent|amazon-ssm-agent got signal:")
    def _stop(self, line: Line, found: _Found) -> None:
        self.sleeps.clear()
        self._end_worker(line, found)

    @_on(r"Error occurred when starting amazon-ssm-agent|Failed to start core agent")
    def _fail_to_start(self, line: Line, found: _Found) -> None:
        self.errors.fail("start", line)

    # "Credentials ready" may come from what was saved, but an agent that fails says so at once.
    @_on(r"Credentials ready|Next credential rotation will be in", _REFRESHER)
    @_on(r"Successfully connected with (?:instance profile|Systems Manager) role credentials")
    def _accept(self, line: Line, found: _Found) -> None:
        self.credentials_at = line.at
        self.tries, self.accepted, self.has_debug, self.role_refused = 0, True, False, False
        self.sleeps.clear()
        self.errors.resolve(("start", "registrar", "credentials", "ping"), SSM_ACTIONS)

    @_on(r"Failed to connect to Systems Manager with instance profile role credentials")
    def _fail_with_role(self, line: Line, found: _Found) -> None:
        self.role_refused = True
        self.errors.fail("credentials", line, UPDATE)

    @_on(r"Failed to connect to Systems Manager with SSM role credentials")
    def _fail_without_role(self, line: Line, found: _Found) -> None:
        """Default Host Management failed too; what is wrong with the role was said before."""
        action = TOKEN if "RequestManagedInstanceRoleToken" in line.message else UPDATE
        if not self.role_refused:
            self.errors.fail("credentials", line, action)
        elif action == TOKEN:
            self.errors.refuse(line, action)

    @_on(r"Retrieve credentials produced error:", _REFRESHER)
    def _fail_try(self, line: Line, found: _Found) -> None:
        self.has_debug = self.has_debug or line.level in ("DEBUG", "TRACE")
        self.tries += 1
        self._fail_without_role(line, found)
        self.role_refused = False

    @_on(r"Sleeping for (\S{1,60}) before retrying", _REFRESHER)
    def _sleep(self, line: Line, found: _Found) -> None:
        seconds = duration(found[1])
        if seconds is not None:
            self.sleeps["credentials"] = (line.at, seconds)

    @_on(r"failed to register identity:", _REGISTRAR)
    def _fail_to_register(self, line: Line, found: _Found) -> None:
        # Only Default Host Management needs the registration; it is tried on beside a good role.
        if not self.accepted:
            self.errors.fail("registrar", line, REGISTER)

    @_on(r"sleeping for (\d{1,9}(?:\.\d{1,30})?) minutes before retrying", _REGISTRAR)
    def _sleep_to_register(self, line: Line, found: _Found) -> None:
        if not self.accepted:
            self.sleeps["registrar"] = (line.at, float(found[1]) * 60)

    @_on(r"EC2 registration was successful|Instance appears to already be registered")
    def _register(self, line: Line, found: _Found) -> None:
        self.errors.resolve(["registrar"], [REGISTER])
        self.sleeps.pop("registrar", None)

    # --- the worker ----------------------------------------------------------------------------

    @_on(r"ssm-agent-worker - v\d")
    def _start_worker(self, line: Line, found: _Found) -> None:
        """Written once its first call of ssm succeeded, or hibernation ended (agent/agent.go)."""
        self._end_worker(line, found)
        self._accept(line, found)

    @_on(r"Stopping ssm agent worker|ssm-agent-worker got signal:")
    def _end_worker(self, line: Line, found: _Found) -> None:
        self.hibernating, self.woke = None, line.at
        self._close(line, found)
        self.channel = ""

    @_on(r"Entering SSM Agent (?:Worker )?hibernate")
    def _hibernate(self, line: Line, found: _Found) -> None:
        self.hibernating = line.at
        self.errors.fail("ping", line, UPDATE)

    @_on(r"Set up control channel successfully")
    @_on(r"Successfully opened websocket|Starting websocket listener", _CHANNEL)
    @_on(r"Processing AgentMessage|received ack id|Starting receiving message", _CHANNEL)
    def _connect(self, line: Line, found: _Found) -> None:
        self.channel_at, self.channel_ended, self.channel = line.at, None, SSMMESSAGES
        self.lost, self.hibernating, self.woke = None, None, line.at
        self.errors.resolve(["channel"], CONTROL_ACTIONS)

    @_on(r"SSM Connection channel status is set to (ssmmessages|ec2messages)\b")
    def _report(self, line: Line, found: _Found) -> None:
        if (self.channel, found[1]) == (EC2MESSAGES, SSMMESSAGES):
            self._connect(line, found)
        elif (self.channel, found[1]) == (SSMMESSAGES, EC2MESSAGES):
            self._close(line, found)
            self.errors.fail("channel", line, CREATE_CHANNEL, ACCESS_DENIED)
        self.channel = found[1]

    @_on(r"Failed to get controlchannel token|Error setting up control channel", _CHANNEL)
    @_on(r"failed to (?:re)?connect (?:to the )?control ?channel", _CHANNEL)
    @_on(r"failed to initialize websocket channel for controlchannel", _CHANNEL)
    def _fail_to_connect(self, line: Line, found: _Found) -> None:
        self._close(line, found)
        self.errors.fail(
            "channel", line, CREATE_CHANNEL if "CreateControlChannel" in line.message else ""
        )

    @_on(r"Reach the retry limit|I/O timeout\. Error", _CHANNEL)
    def _lose(self, line: Line, found: _Found) -> None:
        self._close(line, found)
        self.lost = line

    @_on(r"Closing controlchannel with channel Id", _CHANNEL)
    def _close(self, line: Line, found: _Found) -> None:
        self.lost = None
        if self.channel_at is not None and self.channel_ended is None:
            self.channel_ended = line.at

    @_on(r"Successfully opened websocket|Starting websocket listener", _SESSION)
    def _open_session(self, line: Line, found: _Found) -> None:
        self.errors.resolve((), DATA_ACTIONS)

    def tell_hibernation(self, lines: Sequence[Line]) -> None:
        """Takes hibernate.log, after amazon-ssm-agent.log.

        The worker waits 5 minutes, then asks ssm at once and every 10, 20, 40 and 60 minutes.
        """
        for line in lines:
            if line.message.startswith("Agent is in hibernate mode"):
                # This log has no fractions of seconds.
                if line.at + 1 > self.woke:
                    self.hibernating = line.at
                    self.sleeps["hibernation"] = (line.at, FIRST_PING)
            elif self.hibernating is None or line.at < self.hibernating:
                continue
            elif found := _PING_EVERY.match(line.message):
                self.sleeps["hibernation"] = (line.at, float(found[1]))
            elif "ping failed" in line.message and line.at >= (self.credentials_at or 0.0):
                self.errors.fail("ping", line, UPDATE)

    def end(self, now: float) -> AgentLog:
        """The log at `now`, seconds of the epoch."""
        if self.lost and self.has_info and now - self.lost.at > RECONNECT:
            # Why it cannot come back is not logged: attempts to reconnect fail in silence.
            kind = kind_of(self.lost.message)
            self.errors.fail("channel", self.lost, kind=NETWORK if kind == OTHER else kind)
        self.errors.expire(now, self.started, self.newest or now, self.has_info)
        since, until = self._asleep(now)
        return AgentLog(
            READ,
            started=self.started,
            running_version=self.version,
            newest=self.newest,
            credentials_at=self.credentials_at,
            channel_at=self.channel_at,
            channel_ended=self.channel_ended,
            channel=self.channel,
            failure=self.errors.failure,
            denied=self.errors.denied,
            asleep_since=since,
            retry_at=until,
            hibernating=self.hibernating is not None,
            retries_silenced=self.tries >= LOGGED_TRIES and not self.has_debug,
        )

    def _asleep(self, now: float) -> tuple[Optional[float], Optional[float]]:
        """Since when and until when. The credentials first: all else waits for them."""
        sleep = self.sleeps.get("credentials")
        if sleep is None and self.hibernating is not None:
            since, seconds = self.sleeps.get("hibernation", (self.hibernating, FIRST_PING))
            # It goes on asking at the same distance, in silence once that is an hour.
            asked = since > self.hibernating and seconds > 0
            times = max(1, math.ceil((now - since) / seconds)) if asked else 1
            return self.hibernating, since + seconds * times
        sleep = sleep or self.sleeps.get("registrar")
        return (sleep[0], sum(sleep)) if sleep else (None, None)


_PING_EVERY = re.compile(r"Backing off health check to every (\d{1,6}) seconds for \d{1,6} seconds")
