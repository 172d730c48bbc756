"""Has whoever built the image left AWS keys in it?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import FAIL, OK
from agentcheck.observations import Facts

ID = "image.credentials"
REQUIRES = ()
PROFILES = ("image",)


def check(facts: Facts) -> Finding:
    """Every instance made from it would have them, and SDKs prefer them to the role."""
    found = facts.image().credentials
    if found:
        return Finding(FAIL, f"a secret access key in {', '.join(found)}", "credentials", found[0])
    return Finding(OK, "no AWS keys in the usual places")
