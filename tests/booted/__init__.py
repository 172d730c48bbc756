"""A machine that systemd boots, in the place of the simulated VPC's own instance.

    from tests.booted import Machine

    with Vpc("healthy") as vpc, Machine(vpc) as machine:
        machine.systemctl("stop", "amazon-ssm-agent")
        outcome = machine.run(["agentcheck", "run"])
        entries = machine.journal("AGENTCHECK_CHECK=agent.running")

The product is there as a package would bring it, with what the checkout has in systemd/; its units
are not enabled. Needs root, and a machine that permits namespaces and control groups.
"""

from tests.booted.machine import Answer, Machine, Process

__all__ = ["Answer", "Machine", "Process"]
