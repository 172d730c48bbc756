"""Does the instance metadata service answer?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, FAIL, OK
from agentcheck.observations import Facts

ID = "imds"
REQUIRES = ()
PROFILES = ("instance",)
TARGET = "169.254.169.254"


def check(facts: Facts) -> Finding:
    """A token and the instance's id and Region in the shape that IMDS gives them."""
    imds = facts.imds()
    if imds.state == "ok":
        text = f"{imds.instance.instance_id} in {imds.instance.region}"
        return Finding(OK, text, target=TARGET, phases=imds.phases)
    status = ERROR if imds.state == "error" else FAIL
    summary = f"{imds.state}: {imds.error}"
    return Finding(status, summary, imds.reason or imds.state, TARGET, phases=imds.phases)
