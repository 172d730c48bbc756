"""Causes about this machine: no EC2 instance, the clock, what could not be seen."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.clock import FAIL_S, WARN_S, skew
from agentcheck.diagnosis.rows import BOTH, CauseRow, Explain, listing, reboot
from agentcheck.model import FAIL, UNKNOWN, WARN, Cause
from agentcheck.observations import Observed

EVERYTHING = "*"


def is_not_ec2(o: Observed) -> bool:
    """DMI (or the configuration) denies it and no metadata service says otherwise."""
    if o.policy.on_ec2 == "no":
        return True
    denied = o.machine is not None and o.machine.is_ec2 is False and o.policy.on_ec2 == "auto"
    return denied and o.imds is not None and o.imds.state != "ok"


def true_now(o: Observed) -> float:
    """The time; corrected where two sources prove this host's clock wrong."""
    found = skew(o.clock_offsets)
    return o.now + found.seconds if found.proven and abs(found.seconds) > FAIL_S else o.now


def _not_ec2(o: Observed) -> Iterator[Cause]:
    if not is_not_ec2(o):
        return
    forced = o.policy.on_ec2 == "no"
    vendor = o.machine.vendor if o.machine else ""
    yield Cause(
        "not-ec2",
        UNKNOWN,
        "This is not an EC2 instance, so there is nothing to say about Session Manager here.",
        (
            ["[run] ec2 = no in the configuration"]
            if forced
            else [
                f"DMI names the vendor {vendor or '(none)'}, not Amazon EC2",
                f"the metadata service: {o.imds.state if o.imds else 'not asked'}",
            ]
        ),
        ["Run agentcheck on the instance itself; if this is one, set [run] ec2 = yes."],
        reason="configured" if forced else "dmi",
    )


def _clock(o: Observed) -> Iterator[Cause]:
    found = skew(o.clock_offsets)
    size = abs(found.seconds)
    if size <= WARN_S:
        return
    fails = size > FAIL_S and found.proven
    way = "behind" if found.seconds > 0 else "ahead"
    consequence = "AWS refuses its signatures" if fails else "AWS refuses signatures beyond 300 s"
    only_one = size > FAIL_S and not found.proven
    yield Cause(
        "clock-skew",
        FAIL if fails else WARN,
        f"The clock is {size:.0f} s {way}: {consequence}.",
        [
            f"by the clock of {source}: {value:+.0f} s"
            for source, value in sorted(o.clock_offsets.items())
        ]
        + (["no second source agrees, so this is a warning only"] if only_one else []),
        [
            "Set the clock: chronyc makestep, and see that chronyd runs with"
            " server 169.254.169.123 (Amazon Time Sync).",
            "Without a login: a reboot sets the clock from the hypervisor (console: EC2, Instances,"
            " Instance state, Reboot instance).",
            reboot(o.instance),
        ],
        reason=way,
    )


def _could_not_tell(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent and agent.installs and agent.updating and not agent.running:
        yield Cause(
            "could-not-tell",
            UNKNOWN,
            "No verdict yet: the agent's updater runs, and has stopped the agent for the moment.",
            ["a program of /var/lib/amazon/ssm/update runs, and no amazon-ssm-agent"],
            ["Wait a minute and run it again: agentcheck run --wait 5m"],
            reason="agent-updating",
        )
        return
    if not o.unanswered:
        return
    uid = o.machine.uid if o.machine else 0
    remedy = ["Run it again with --verbose; if it stays, report what it prints."]
    if uid != 0:
        remedy.insert(0, f"Run it as root: uid {uid} may lack CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH.")
    yield Cause(
        "could-not-tell",
        UNKNOWN,
        f"No verdict: {listing(list(o.unanswered))} could not be answered.",
        [f"{check}: {why}" for check, why in sorted(o.unanswered.items())],
        remedy,
        reason="check-error",
    )


CAUSES = (
    CauseRow(
        "not-ec2",
        _not_ec2,
        Explain(
            "The machine is not an EC2 instance.",
            "DMI does not name Amazon EC2, and the metadata service (IMDS) gives no genuine "
            "answer. On an instance whose IMDS alone is shut, DMI still names Amazon EC2: that is "
            "imds-disabled or imds-unreachable.",
            "Run it on the instance. Where DMI is hidden, set `ec2 = yes` in [run].",
            "imds-unreachable.",
            "None: the console knows only EC2 instances.",
        ),
        beats=(EVERYTHING,),
    ),
    CauseRow(
        "clock-skew",
        _clock,
        Explain(
            "The clock of the instance is wrong. AWS refuses requests signed more than 5 minutes "
            "off, and certificates look expired or not yet valid.",
            f"HTTP Date headers against the local clock: beyond {WARN_S} s a warning, beyond "
            f"{FAIL_S} s a failure, if two sources (IMDS and an endpoint) agree.",
            "Start chronyd with Amazon Time Sync (169.254.169.123, or fd00:ec2::123): it needs no "
            "route, and security groups do not filter it. `chronyc makestep` sets it at once.",
            "credentials-expired and tls-certificate-expired: with a wrong clock both are "
            "consequences, and are not listed.",
        ),
        beats=("credentials-rejected",),
    ),
    CauseRow(
        "could-not-tell",
        _could_not_tell,
        Explain(
            "Something that decides the verdict could not be looked at.",
            "A check ended in an error, or this user lacks the right to see what matters. "
            "agentcheck says so rather than call the instance healthy or broken.",
            "Run it as root (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH are enough); see the "
            "evidence for the check and what it met.",
            "healthy: nothing was found, but not everything was seen.",
            "Any.",
        ),
        profiles=BOTH,
    ),
)
