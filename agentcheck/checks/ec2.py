"""Is this machine an EC2 instance?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import OK, SKIP, WARN
from agentcheck.observations import Facts

ID = "ec2"
REQUIRES = ()
PROFILES = ("instance",)


def check(facts: Facts) -> Finding:
    """DMI says so; a machine that hides it may still have a metadata service."""
    machine, forced = facts.machine(), facts.policy.on_ec2
    seen = {"vendor": machine.vendor}
    if forced == "yes":
        return Finding(OK, "taken for an EC2 instance, as configured", facts=seen)
    if forced == "no":
        return Finding(WARN, "not an EC2 instance, as configured", reason="configured", facts=seen)
    if machine.is_ec2 is None:
        return Finding(SKIP, "DMI cannot be read here", reason="no-dmi", facts=seen)
    if machine.is_ec2:
        return Finding(OK, "DMI says Amazon EC2", facts=seen)
    return Finding(WARN, f"DMI says {machine.vendor or 'nothing'}", reason="dmi", facts=seen)
