"""A simulated VPC: an EC2 instance, its metadata service, DNS and endpoints, in namespaces.

    from tests.vpc import Vpc, run

    outcome = run("endpoint-blocked")
    with Vpc("endpoint-blocked") as vpc:
        vpc.update(rules=())
        outcome = vpc.run()
        vpc.stop_agent()
        vpc.put("/etc/amazon/ssm/amazon-ssm-agent.json", "{}")
        vpc.start_agent()

The product runs in there with its defaults, as on EC2: real sockets, names, routes, certificates
and files. Each file in `scenarios` is one failure.
"""

from tests.vpc.artefacts import LabError
from tests.vpc.lab import Outcome, Vpc, default_command, run
from tests.vpc.scenario import CANARIES, Expect, Scenario
from tests.vpc.scenarios import find, scenarios

__all__ = [
    "CANARIES",
    "Expect",
    "LabError",
    "Outcome",
    "Scenario",
    "Vpc",
    "default_command",
    "find",
    "run",
    "scenarios",
]
