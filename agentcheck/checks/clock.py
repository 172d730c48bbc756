"""Is the clock right?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.clock import FAIL_S, WARN_S, skew
from agentcheck.model import FAIL, OK, SKIP, WARN
from agentcheck.observations import Facts

ID = "clock"
REQUIRES = ()
# Endpoints are a second clock beside IMDS; they must have been looked at first.
AFTER = ("tls", "proxy", "permission")
PROFILES = ("instance",)


def check(facts: Facts) -> Finding:
    """Signatures are refused beyond 5 minutes; one source alone never fails it."""
    offsets = facts.clock_offsets()
    if not offsets:
        return Finding(SKIP, "no clock to compare with was reached", reason="no-source")
    seen = {"offsets_s": {source: round(value) for source, value in offsets.items()}}
    found = skew(offsets)
    text = f"{abs(found.seconds):.0f} s {'behind' if found.seconds > 0 else 'ahead'}"
    if abs(found.seconds) > FAIL_S and found.proven:
        return Finding(FAIL, text, reason="skew", facts=seen)
    if abs(found.seconds) > WARN_S:
        return Finding(WARN, text, reason="skew", facts=seen)
    return Finding(OK, f"within {WARN_S} s of {', '.join(sorted(offsets))}", facts=seen)
