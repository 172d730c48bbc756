"""May the role call Systems Manager?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.clock import by_imds
from agentcheck.misconfiguration import problems
from agentcheck.model import ERROR, FAIL, OK, SKIP
from agentcheck.observations import SSM, Facts

ID = "permission"
REQUIRES = ("role",)
# The call goes the way that was found to work.
AFTER = ("dns", "tcp", "tls", "proxy")
PROFILES = ("instance",)

_FAILURES = ("denied", "rejected", "expired", "clock")


def check(facts: Facts) -> Finding:
    """One signed, read-only ssm:ListInstanceAssociations for this instance."""
    now = by_imds(facts.now(), facts.imds().clock_offset_s)
    if facts.policy.signed_call == "never":
        return Finding(SKIP, "the signed call is left out this time", reason="signed_call")
    if facts.agent().host_management_active(now, facts.imds().instance.instance_id):
        return Finding(SKIP, "Default Host Management gives the rights", reason="dhmc")
    if facts.endpoint(SSM) is None:
        return Finding(SKIP, "no host is known for ssm", reason="no-host")
    instance = facts.imds().instance
    wrong = problems(facts.agent().config, instance.region, instance.domain)
    if any(problem.service == SSM for problem in wrong):
        text = "not tried: the agent's configuration sends it elsewhere"
        return Finding(SKIP, text, "prerequisite", caused_by="agent.config")
    if not facts.usable(SSM):
        return _follower(facts)
    found = facts.permission()
    seen = {"status": found.status, "code": found.code, "action": found.action}
    if found.state == "ok":
        return Finding(OK, "ssm:ListInstanceAssociations is allowed", facts=seen)
    if found.state == "denied" and facts.agent().identity.unreadable:
        summary = "refused; Default Host Management cannot be ruled out without CAP_DAC_READ_SEARCH"
        return Finding(ERROR, summary, "no-rights", facts=seen)
    if found.state in _FAILURES:
        reason = found.policy or found.state
        return Finding(FAIL, found.text, reason, facts=seen)
    # Throttling, an error of the service, a middlebox: says nothing of the role.
    return Finding(SKIP, f"no answer about the role: {found.text}", found.state, facts=seen)


def _follower(facts: Facts) -> Finding:
    """Skipped for what keeps ssm from being reached."""
    cause = f"tls.{SSM}"
    if facts.proxy(SSM):
        if facts.tunnel(SSM).state == "unsupported":
            return Finding(SKIP, "no way to ssm was tried", reason="unsupported")
        cause = f"proxy.{SSM}"
    elif facts.name(SSM).state != "ok":
        cause = f"dns.{SSM}"
    elif not facts.path(SSM).reached:
        cause = f"tcp.{SSM}"
    return Finding(SKIP, f"not tried: {cause} failed", "prerequisite", caused_by=cause)
