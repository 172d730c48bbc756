"""The diagnosis: from everything observed to the few independent causes, gravest first.

Pure and driven by tables: each module here covers one layer and has a table CAUSES, whose rows
hold a code, how it is found, and its explanation. CODES gives the order of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from agentcheck.diagnosis import (
    agent,
    answers,
    channel,
    disk,
    endpoint,
    health,
    image,
    imds,
    machine,
    names,
    path,
    permission,
    proxy,
    role,
    tls,
    versions,
)
from agentcheck.diagnosis.health import HEALTHY, IMAGE_READY, PARTIAL
from agentcheck.diagnosis.machine import EVERYTHING
from agentcheck.diagnosis.rows import CauseRow
from agentcheck.diagnosis.services import names_of, usable
from agentcheck.model import CAUSE_RANK, FAIL, UNKNOWN, Cause
from agentcheck.observations import Observed

# Most fundamental first: what comes later may merely follow from what comes earlier. Codes
# without a row are not told apart yet; the rows take their place by this list.
CODES = (
    "healthy",
    "partial",
    "not-ec2",
    "disk-full",
    "agent-missing",
    "agent-misconfigured",
    "agent-not-running",
    "agent-hybrid",
    "imds-disabled",
    "imds-unreachable",
    "imds-not-genuine",
    "agent-proxy-covers-imds",
    "clock-skew",
    "role-missing",
    "role-not-assumable",
    "credentials-expired",
    "proxy-unreachable",
    "proxy-refuses",
    "dns-unreachable",
    "dns-failing",
    "dns-split",
    "dns-not-found",
    "hosts-override",
    "no-route",
    "endpoint-missing",
    "endpoint-blocked",
    "endpoint-partly-blocked",
    "endpoint-refused",
    "trust-store-empty",
    "tls-intercepted",
    "tls-wrong-certificate",
    "tls-certificate-expired",
    "tls-failed",
    "agent-needs-ec2messages",
    "role-lacks-permission",
    "endpoint-policy-denies",
    "scp-denies",
    "credentials-rejected",
    "latent-failure",
    "agent-backing-off",
    "agent-not-connected",
    "agent-restart-needed",
    "endpoint-public",
    "agent-outdated",
    "agent-version-unknown",
    "agent-not-enabled",
    "agent-duplicate",
    "image-holds-credentials",
    "image-pins-network",
    "image-lacks-service",
    "could-not-tell",
)
# Each layer, and the checks that look at it (prefixes of their ids): with --only and --skip a
# layer that was not looked at accuses nobody. None: never left out.
_LAYERS: Sequence[tuple[Any, Optional[str]]] = (
    (health, None),
    (machine, None),
    (disk, "disk"),
    (agent, "agent."),
    (imds, "imds"),
    (role, "role"),
    (proxy, "proxy."),
    (names, "dns."),
    (answers, "dns."),
    (path, "tcp."),
    (endpoint, "tcp."),
    (tls, "tls."),
    (versions, "agent."),
    (permission, "permission"),
    (channel, "agent.channel"),
    (image, "image."),
)
_LOOKED_AT_BY = {row.code: prefix for module, prefix in _LAYERS for row in module.CAUSES}
ROWS: dict[str, CauseRow] = {
    row.code: row
    for row in sorted(
        (row for module, _ in _LAYERS for row in module.CAUSES),
        key=lambda row: CODES.index(row.code),
    )
}


def diagnose(
    observed: Observed, complete: bool = True, asked: Optional[frozenset[str]] = None
) -> tuple[Cause, Sequence[Cause]]:
    """`(verdict, causes)`: the first cause, or a good end when there is none.

    `asked` are the ids of the checks that were run, None for all. `complete` is false when checks
    were left out: then it is never `healthy`. Where nothing explains why a required endpoint is
    unusable the verdict is `could-not-tell`, never `healthy`.
    """
    profile = observed.policy.profile
    rows = [
        row for row in ROWS.values() if profile in row.profiles and _was_looked_at(row.code, asked)
    ]
    found = [cause for row in rows for cause in row.find(observed)]
    beaten = {
        code
        for cause in found
        if cause.status in (FAIL, UNKNOWN)
        for code in ROWS[cause.code].beats
    }
    if EVERYTHING in beaten:
        found = [cause for cause in found if EVERYTHING in ROWS[cause.code].beats]
    causes = _in_company([cause for cause in found if cause.code not in beaten])
    if all(CAUSE_RANK[c.status] > CAUSE_RANK[UNKNOWN] for c in causes):
        causes = _in_company(_unexplained(observed, complete, causes) + causes)
    causes.sort(key=lambda cause: CAUSE_RANK[cause.status])  # stable: keeps the order of CODES
    if causes:
        return causes[0], tuple(causes)
    if not complete:
        return PARTIAL, ()
    return (HEALTHY if profile == "instance" else IMAGE_READY), ()


def _in_company(causes: Sequence[Cause]) -> list[Cause]:
    """Without those that may only stand beside another cause, or beside none."""
    others = [c for c in causes if not ROWS[c.code].beside_another]
    failed = {service for c in others if c.status == FAIL for service in c.services}
    graver = any(c.status in (FAIL, UNKNOWN) for c in others if not ROWS[c.code].last_resort)
    return [
        cause
        for cause in causes
        if not (ROWS[cause.code].beside_another and not failed & set(cause.services))
        and not (ROWS[cause.code].last_resort and graver)
    ]


def _was_looked_at(code: str, asked: Optional[frozenset[str]]) -> bool:
    prefix = _LOOKED_AT_BY[code]
    return asked is None or prefix is None or any(check.startswith(prefix) for check in asked)


def _unexplained(o: Observed, complete: bool, causes: Sequence[Cause]) -> list[Cause]:
    """A last guard against a green report on a broken instance."""
    explained = {
        service
        for cause in causes
        for service in cause.services
        if not (ROWS[cause.code].beside_another or ROWS[cause.code].last_resort)
    }
    missing = names_of(
        endpoint
        for endpoint in o.endpoints.values()
        if endpoint.required
        and o.policy.profile == "instance"
        and endpoint.service not in explained
        and not usable(o, endpoint.service)
        and (complete or endpoint.service in o.paths)
    )
    unseen = complete and not o.endpoints and o.policy.profile == "instance"
    failed = _failed_without_a_cause(o, causes)
    if not missing and not unseen and not failed:
        return []
    what = ", ".join(missing) or ("the endpoints" if unseen else "")
    if not what:
        return [_unexplained_checks(failed)]
    through = sorted({o.proxies[service] for service in missing if service in o.proxies})
    why = "nothing seen explains it"
    if through:
        why = f"the agent goes through the proxy {', '.join(through)}, which was not tried"
    return [
        Cause(
            "could-not-tell",
            UNKNOWN,
            f"No verdict: {what} could not be used from here, and {why}.",
            [f"{service}: no working connection" for service in missing] or ["no endpoint known"],
            ["Run it again with --verbose; if it stays, report what it prints."],
            missing,
            reason="proxy" if through else "unexplained",
        )
    ]


def _failed_without_a_cause(o: Observed, causes: Sequence[Cause]) -> list[str]:
    """Checks that failed while no cause is about what they look at."""
    prefixes = [_LOOKED_AT_BY[cause.code] for cause in causes]
    named = {service for cause in causes for service in cause.services}
    return [
        f"{check}: {said}"
        for check, said in o.failed.items()
        if check.partition(".")[2] not in named
        and not any(prefix is not None and check.startswith(prefix) for prefix in prefixes)
    ]


def _unexplained_checks(failed: Sequence[str]) -> Cause:
    return Cause(
        "could-not-tell",
        UNKNOWN,
        f"No verdict: {failed[0].partition(':')[0]} failed, and nothing seen explains it.",
        failed,
        ["Run it again with --verbose; if it stays, report what it prints."],
        reason="unexplained",
    )
