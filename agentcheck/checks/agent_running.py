"""Is the agent running?"""

from __future__ import annotations

from agentcheck.checks import Finding
from agentcheck.model import ERROR, FAIL, OK, SKIP
from agentcheck.observations import Facts

ID = "agent.running"
REQUIRES = ("agent.installed",)
PROFILES = ("instance",)


def check(facts: Facts) -> Finding:
    """A process of root in our namespaces whose program is the agent's."""
    agent = facts.agent()
    unit = agent.unit
    seen = {
        "pids": [process.pid for process in agent.processes],
        "unit": f"{unit.active_state}/{unit.sub_state}" if unit else None,
        "unit_file": unit.unit_file_state if unit else None,
    }
    if agent.running:
        main = next(process.pid for process in agent.processes if process.is_main)
        return Finding(OK, f"running, process {main}", facts=seen)
    if agent.processes_hidden:
        summary = "processes of other users are hidden from this user"
        return Finding(ERROR, summary, reason="hidden", facts=seen)
    if agent.updating:
        return Finding(SKIP, "its updater runs, and has stopped it", "updating", facts=seen)
    return Finding(FAIL, "no process of the agent", reason=agent.stopped_reason, facts=seen)
