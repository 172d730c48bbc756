"""Makes a report: runs the round and joins results, causes and what was seen."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

from agentcheck import __version__, runner
from agentcheck.checks import Check
from agentcheck.clock import WARN_S
from agentcheck.diagnosis import diagnose
from agentcheck.diagnosis.machine import is_not_ec2
from agentcheck.diagnosis.notes import notes
from agentcheck.facts import RoundFacts
from agentcheck.model import ERROR, FAIL, OK, UNKNOWN, WARN, Cause, Report, Result
from agentcheck.observations import EC2MESSAGES, Agent, Observed


def make(
    facts: RoundFacts,
    checks: Sequence[Check],
    chosen: Optional[frozenset[str]],
    deadline: float,
    trigger: str = "manual",
    profile: str = "instance",
    interrupted: Callable[[], bool] = lambda: False,
) -> Report:
    """Runs one round and reports on it.

    `chosen` are the ids asked for, None for all: of the others only what those require is run,
    and not listed.
    """
    started, begun = time.time(), time.monotonic()
    needed = _closure(checks, chosen)
    results = runner.run(needed, facts, deadline, interrupted)
    took = time.monotonic() - begun
    set_by = time.time() - started - took
    complete = chosen is None and not interrupted()
    listed = [
        (check, result)
        for check, result in zip(needed, results)
        if chosen is None or check.id in chosen
    ]
    report = Report(
        agentcheck_version=__version__,
        run_id=uuid.uuid4().hex,
        started=runner.utc_text(started),
        duration_s=round(took, 3),
        trigger=trigger,
        profile=profile,
        complete=complete,
        verdict=_NO_DIAGNOSIS,
        causes=(_NO_DIAGNOSIS,),
        notes=(),
        checks=tuple(result for _, result in listed),
        instance=_instance(Observed(now=started)),
        agent=_agent(Observed(now=started)),
        endpoints=(),
    )
    try:
        report = _diagnosed(report, facts, results, listed, chosen)
    except Exception as error:  # noqa: BLE001 - the round has begun: a report is owed
        cause = replace(_NO_DIAGNOSIS, evidence=[f"internal error ({type(error).__name__})"])
        return replace(report, verdict=cause, causes=(cause,))
    if abs(set_by) > WARN_S and report.status not in (OK, WARN):
        # What was dated before does not fit what was dated after it.
        cause = replace(_CLOCK_SET, evidence=[f"the clock was set by {set_by:+.0f} s meanwhile"])
        return replace(report, verdict=cause, causes=(cause,))
    return report


_CLOCK_SET = Cause(
    "could-not-tell",
    UNKNOWN,
    "No verdict: the clock was set while the checks ran.",
    [],
    ["Run it again: agentcheck run"],
    reason="clock-set",
)
_NO_DIAGNOSIS = Cause(
    "could-not-tell",
    UNKNOWN,
    "No verdict: an error in agentcheck itself kept it from a diagnosis.",
    ["internal error"],
    ["Please report it, with the output of agentcheck run --format json."],
    reason="internal-error",
)


def _diagnosed(
    report: Report,
    facts: RoundFacts,
    results: Sequence[Result],
    listed: Sequence[tuple[Check, Result]],
    chosen: Optional[frozenset[str]],
) -> Report:
    """The report with what was observed and its diagnosis."""
    unanswered = {r.id: r.summary for r in results if r.status == ERROR}
    failed = {r.id: r.summary for r in results if r.status == FAIL}
    observed = replace(facts.observed(), unanswered=unanswered, failed=failed)
    if is_not_ec2(observed):
        observed = replace(observed, unanswered={})
    asked = None if chosen is None else frozenset(result.id for result in results)
    verdict, causes = diagnose(observed, report.complete, asked)
    return replace(
        report,
        verdict=verdict,
        causes=causes,
        notes=tuple(notes(observed)),
        checks=tuple(
            result for check, result in listed if chosen is not None or _is_needed(check, observed)
        ),
        instance=_instance(observed),
        agent=_agent(observed),
        endpoints=tuple(_endpoint(observed, service) for service in observed.endpoints),
    )


def _closure(checks: Sequence[Check], chosen: Optional[frozenset[str]]) -> list[Check]:
    """The chosen checks and all that they require, in order."""
    if chosen is None:
        return list(checks)
    wanted = set(chosen)
    for check in reversed(checks):
        if check.id in wanted:
            wanted |= set(check.requires)
    return [check for check in checks if check.id in wanted]


def _is_needed(check: Check, observed: Observed) -> bool:
    """Whether a check that nobody named has anything to say here."""
    return check.service is None or observed.services is None or check.service in observed.services


def _instance(o: Observed) -> Mapping[str, Any]:
    instance = o.instance
    return {
        "instance_id": instance.instance_id or None,
        "region": instance.region or None,
        "availability_zone": instance.availability_zone or None,
        "vpc_id": instance.vpc_id or None,
        "subnet_id": instance.subnet_id or None,
        "vpc_cidrs": list(instance.vpc_cidrs),
        "local_ipv4": instance.local_ipv4 or None,
        "public_ipv4": instance.public_ipv4 or None,
        "ami_id": instance.ami_id or None,
        "instance_type": instance.instance_type or None,
        "partition": instance.partition or None,
        "domain": instance.domain or None,
        "security_groups": list(instance.security_groups),
    }


def _agent(o: Observed) -> Mapping[str, Any]:
    agent = o.agent or Agent()
    install = agent.install
    return {
        "installed": bool(agent.installs) if o.agent else None,
        "path": install.path if install else None,
        "package": (install.package or None) if install else None,
        "version": str(install.version) if install and install.version else None,
        "running_version": _running_version(agent),
        "running": agent.running if o.agent and not agent.processes_hidden else None,
        "pids": [process.pid for process in agent.processes],
        "connected": o.connected,
        "needs_ec2messages": _needs_ec2messages(o),
        "endpoint_overrides": dict(agent.config.endpoints),
        "proxy": next(iter(o.proxies.values()), None),
    }


def _running_version(agent: Agent) -> Optional[str]:
    """That of the process, where one runs and its version is known."""
    if not agent.running or agent.acting_version is None:
        return None
    return str(agent.acting_version)


def _needs_ec2messages(o: Observed) -> Optional[bool]:
    if not o.endpoints:
        return None
    return EC2MESSAGES in o.endpoints and o.endpoints[EC2MESSAGES].required


def _way(o: Observed, service: str) -> Optional[Mapping[str, Any]]:
    """The agent's proxy for a service and how far the way through it leads."""
    if service not in o.proxies:
        return None
    tunnel = o.tunnels.get(service)
    inside = tunnel.connection.tls if tunnel and tunnel.connection else None
    state = "not-tried" if tunnel is None else inside or tunnel.state
    return {"url": o.proxies[service], "state": state}


def _endpoint(o: Observed, service: str) -> Mapping[str, Any]:
    endpoint = o.endpoints[service]
    path = o.paths.get(service)
    connections = path.connections if path else ()
    name = o.names.get(service)
    scopes = {c.scope for c in connections}
    rows = [
        {
            "address": c.address,
            "scope": c.scope,
            "same_subnet": c.same_subnet,
            "tcp": c.tcp,
            "connect_s": c.connect_s,
            "tls": c.tls,
            "error": c.error or None,
        }
        for c in connections
    ]
    return {
        "service": service,
        "host": endpoint.host,
        "port": endpoint.port,
        "required": endpoint.required,
        "why": endpoint.why,
        "name": name.state if name else None,
        "private": None if not scopes else scopes <= {"vpc", "private"},
        "proxy": _way(o, service),
        "addresses": rows,
    }
