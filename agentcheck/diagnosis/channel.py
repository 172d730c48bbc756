"""Causes told by the agent's channel and log, where everything else is seen to work or to fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from agentcheck.clock import utc
from agentcheck.diagnosis.rows import CauseRow, Explain, listing, reboot, without_login
from agentcheck.diagnosis.services import names_of, usable
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import SSM, SSMMESSAGES, Endpoint, Observed

# Credentials, registration and the channel take the agent seconds; its first retries, minutes.
UP_FOR_S = 300.0


def _fails_afresh(o: Observed, endpoint: Endpoint) -> bool:
    """Whether it was tried, and no new connection to it works."""
    service = endpoint.service
    tried = service in o.names or service in o.tunnels
    name, path = o.names.get(service), o.paths.get(service)
    answered = service in o.tunnels or path is not None or (name is not None and name.state != "ok")
    return tried and answered and not usable(o, service)


def _latent(o: Observed) -> Iterator[Cause]:
    if o.channel.connected is not True or o.channel.by != "socket":
        return
    if o.agent is None or o.agent.environment_hidden:
        return
    needed = [e for e in o.endpoints.values() if e.required and e.service in (SSM, SSMMESSAGES)]
    broken = names_of(e for e in needed if _fails_afresh(o, e))
    if not broken:
        return
    yield Cause(
        "latent-failure",
        FAIL,
        "The agent's old channel still works, but new connections fail: the instance drops off at"
        " the agent's next restart.",
        [
            "a connection of the agent to ssmmessages is established, with nothing unacknowledged",
            f"a fresh connection to {listing(broken)} fails",
        ],
        [
            "Do not restart the agent or the instance before the other cause is mended: sessions"
            " still work now (console: Systems Manager, Session Manager, Start session).",
        ],
        broken,
        reason="old-channel",
    )


def _open_failure(o: Observed) -> bool:
    log = o.agent_log
    return log is not None and log.state == "read" and (log.failure is not None)


def _backing_off(o: Observed) -> Iterator[Cause]:
    agent, log = o.agent, o.agent_log
    if agent is None or not agent.running or agent.updating or o.connected is True:
        return
    if log is None or log.state != "read" or (log.failure is None and log.retry_at is None):
        return
    when, reason = _next_try(o)
    instance = o.instance
    # What we may call says nothing of the other calls that its log says were refused.
    refused = [entry.action for entry in log.denied if entry.action]
    doubt = f"; if the role was not changed since, it lacks {listing(refused)}" if refused else ""
    evidence = []
    if log.failure is not None:
        evidence.append(f"its log at {utc(log.failure.at)}: {log.failure.text}")
    if log.asleep_since is not None and log.retry_at is not None:
        evidence.append(f"asleep since {utc(log.asleep_since)}, until about {utc(log.retry_at)}")
    if log.retries_silenced:
        evidence.append("after three tries it no longer logs further ones, so the log is quiet")
    yield Cause(
        "agent-backing-off",
        WARN,
        f"All that can be tried works now, but the agent failed before and {when}{doubt}.",
        evidence,
        [
            "Restart the agent, so that it tries at once: systemctl restart amazon-ssm-agent (snap"
            " restart amazon-ssm-agent). Locked out: reboot the instance (console: EC2, Instances,"
            " Instance state, Reboot instance):",
            reboot(instance),
            *without_login(instance),
            "Or wait for its next try.",
            f"If it fails again after that, allow {listing(refused)} to the role."
            if refused
            else "If it fails again after that, its log names what still fails.",
        ],
        reason=reason,
    )


def _next_try(o: Observed) -> tuple[str, str]:
    """Words for when it tries again, and the reason code."""
    log = o.agent_log
    retry: Optional[float] = log.retry_at if log else None
    kind = "hibernating" if log and log.hibernating else "asleep"
    if retry is not None and retry > o.now:
        return f"is {kind} until about {utc(retry)}", kind
    if log and log.retries_silenced:
        return "tries again in silence, at the latest an hour after the last time", "silent"
    return "has not tried again yet", "retrying" if kind == "asleep" else kind


def _not_connected(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent is None or not agent.running or agent.updating or o.connected is not False:
        return
    if o.proxies or _open_failure(o) or (o.agent_log and o.agent_log.retry_at is not None):
        return
    started = [p.started for p in agent.processes if p.is_main and p.started is not None]
    if not started or o.now - max(started) < UP_FOR_S:
        return
    up = o.now - max(started)
    log = o.agent_log
    read = log is not None and log.state == "read"
    yield Cause(
        "agent-not-connected",
        WARN,
        f"All works, but the agent has no channel to ssmmessages, {up / 60:.0f} minutes after its"
        " start.",
        [
            f"the agent runs since {utc(max(started))}",
            "none of its connections to ssmmessages is established with nothing unacknowledged",
            "its log holds no open error" if read else "its log could not be read",
        ],
        [
            "Restart the agent: systemctl restart amazon-ssm-agent (snap restart amazon-ssm-agent)."
            " Locked out: reboot the instance (console: EC2, Instances, Instance state, Reboot"
            " instance):",
            reboot(o.instance),
            "If it stays so: journalctl -u amazon-ssm-agent, /var/log/amazon/ssm/errors.log.",
        ],
        (SSMMESSAGES,),
        reason="no-channel",
    )


CAUSES = (
    CauseRow(
        "latent-failure",
        _latent,
        Explain(
            "The instance still answers, over a connection that was made before something was "
            "closed. It is lost at the agent's next restart.",
            "The agent's channel to ssmmessages is established with nothing unacknowledged and no "
            "retransmits, while fresh connections fail. A channel cut by a black hole stays "
            "established for minutes, but then has unacknowledged data: that is none.",
            "Mend the cause that stands beside it; do not restart the agent before.",
            "healthy: everything that only looks at the agent calls it so.",
            "None yet: the instance is online.",
        ),
        beside_another=True,
    ),
    CauseRow(
        "agent-backing-off",
        _backing_off,
        Explain(
            "Nothing is wrong any more, but the agent sleeps after an earlier failure and does not "
            "know yet.",
            "The last error in its log that no success followed, and its own words on when it "
            "tries again: 5 minutes to an hour, 25 to 30 minutes after a refusal. After three "
            "tries it logs no more.",
            "Restart the agent, or reboot; or wait.",
            "role-missing, role-lacks-permission: what it was before.",
        ),
        last_resort=True,
    ),
    CauseRow(
        "agent-not-connected",
        _not_connected,
        Explain(
            "Everything that agentcheck can see works, but the agent has no channel.",
            f"No live connection of the agent to ssmmessages {UP_FOR_S / 60:.0f} minutes after its "
            "start, no proxy in between, no update under way, and no open error in its log.",
            "Restart the agent, and look at its log.",
            "agent-backing-off: there its log says why it waits.",
        ),
        last_resort=True,
    ),
)
