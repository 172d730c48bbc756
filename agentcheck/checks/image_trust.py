"""Does the image hold the CA certificates that verify AWS's endpoints?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import FAIL, OK
from agentcheck.observations import Facts

ID = "image.trust"
REQUIRES = ()
PROFILES = ("image",)


def check(facts: Facts) -> Finding:
    """Without them no TLS connection is made."""
    image = facts.image()
    if image.certificates == 0:
        return Finding(FAIL, "no usable CA certificates", "empty", image.store or None)
    return Finding(OK, f"{image.certificates} certificates in {image.store}")
