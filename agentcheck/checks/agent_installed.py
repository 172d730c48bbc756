"""Is amazon-ssm-agent installed?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import FAIL, OK
from agentcheck.observations import Facts

ID = "agent.installed"
REQUIRES = ()
PROFILES = ("instance", "image")


def check(facts: Facts) -> Finding:
    """A program at a path of the deb, rpm or snap package, or one that root runs."""
    install = facts.agent().install
    if install is None:
        return Finding(FAIL, "no amazon-ssm-agent (deb, rpm or snap) on this host", reason="absent")
    package = f"{install.package} package, " if install.package else ""
    return Finding(
        OK,
        f"{package}version {install.version or 'unknown'}",
        target=install.path,
        facts={"package": install.package, "version": install.version_text},
    )
