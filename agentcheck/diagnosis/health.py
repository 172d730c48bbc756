"""The two good ends, which are no causes: all is well, or what was asked for is."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import BOTH, CauseRow, Explain
from agentcheck.model import OK, Cause
from agentcheck.observations import Observed


def _never(o: Observed) -> Iterator[Cause]:
    return iter(())


HEALTHY = Cause(
    "healthy",
    OK,
    "Session Manager can reach this instance: agent, role, names, port 443 and TLS are in order.",
    remedy=["If sessions fail all the same: agentcheck explain healthy"],
)
IMAGE_READY = Cause(
    "healthy",
    OK,
    "The image is in order: agent, certificates, clock and disk are, and nothing was left behind.",
    remedy=["Its instances still need a role and endpoints: agentcheck run on one of them"],
)
PARTIAL = Cause(
    "partial",
    OK,
    "What was checked is in order; not everything was checked.",
    remedy=["For a verdict run all checks: agentcheck run"],
)

CAUSES = (
    CauseRow(
        "healthy",
        _never,
        Explain(
            "Everything that Session Manager needs of this instance works.",
            "All checks ran, every required endpoint was reached afresh over DNS, TCP and TLS.",
            "If sessions fail all the same, look at: the KMS key of session encryption (reachable "
            "from here, allowed to the role and the user), the RunAs user (must exist on the "
            "instance), its login shell, the S3 bucket or log group of session logs, and the "
            "Session Manager plugin and the rights of whoever starts the session.",
            "Faults on the side of the person who connects.",
            "The instance is online.",
        ),
        profiles=BOTH,
    ),
    CauseRow(
        "partial",
        _never,
        Explain(
            "The chosen checks found nothing; others were left out by --only or --skip.",
            "The report says `complete: false`.",
            "Run agentcheck run without --only and --skip.",
            "healthy.",
            "Any.",
        ),
        profiles=BOTH,
    ),
)
