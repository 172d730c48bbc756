"""Causes about amazon-ssm-agent itself."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.imds import imds_is_shut
from agentcheck.diagnosis.proxy import covering_imds
from agentcheck.diagnosis.rows import BOTH, CauseRow, Explain, aws, run_command, without_login
from agentcheck.misconfiguration import problems
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import NOT_AT_BOOT, Agent, Observed


def _missing(o: Observed) -> Iterator[Cause]:
    if o.agent is None or o.agent.installs:
        return
    yield Cause(
        "agent-missing",
        FAIL,
        "amazon-ssm-agent is not installed, so nothing on this instance can answer.",
        ["no program at /usr/bin/amazon-ssm-agent or /snap/amazon-ssm-agent/current"]
        + (["/snap/amazon-ssm-agent/current leads nowhere"] if o.agent.dangling_snap else []),
        [
            "Install it: dnf install amazon-ssm-agent, or snap install amazon-ssm-agent --classic"
            " (Ubuntu), best in the AMI.",
            *(
                ["Take the broken snap away first: snap remove --purge amazon-ssm-agent."]
                if o.agent.dangling_snap
                else []
            ),
            "In a private subnet take the package from the Region's S3 bucket"
            f" amazon-ssm-{o.instance.region or 'REGION'} through an S3 gateway endpoint.",
            *without_login(o.instance),
        ],
        reason="snap-dangling" if o.agent.dangling_snap else "absent",
    )


def _misconfigured(o: Observed) -> Iterator[Cause]:
    if o.agent is None or not o.agent.installs or o.agent.config.unreadable:
        return
    config = o.agent.config
    found = problems(config, o.instance.region, o.instance.domain)
    if not found:
        return
    yield Cause(
        "agent-misconfigured",
        FAIL,
        f"The agent's configuration cannot work here: {found[0].text}.",
        list(dict.fromkeys(f"{config.path}: {problem.text}" for problem in found)),
        [
            f"Mend or remove {config.path}, then: systemctl restart amazon-ssm-agent.",
            "The file is optional; amazon-ssm-agent.json.template beside it holds the defaults.",
            *without_login(o.instance),
        ],
        reason=found[0].reason,
    )


def _not_running(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent is None or not agent.installs or agent.running or agent.processes_hidden:
        return
    if agent.updating:
        return  # its updater starts it again
    reason = agent.stopped_reason
    # It exits by itself without IMDS or with a broken configuration; it is never disabled by it.
    exits_by_itself = (
        imds_is_shut(o)
        or bool(covering_imds(o))
        or bool(agent.config.error and not agent.config.unreadable)
    )
    if exits_by_itself and reason not in ("disabled", "masked"):
        return
    install = agent.install
    snap = install is not None and install.package == "snap"
    command = {
        "masked": "systemctl unmask amazon-ssm-agent && systemctl enable --now amazon-ssm-agent",
        "failed": "systemctl enable amazon-ssm-agent; systemctl restart amazon-ssm-agent;"
        " journalctl -u amazon-ssm-agent tells why",
        "no-unit": "systemctl status amazon-ssm-agent says what is wrong with its unit; install the"
        " package again, then systemctl enable --now amazon-ssm-agent",
    }.get(reason, "systemctl enable --now amazon-ssm-agent")
    if snap:
        command = "snap start --enable amazon-ssm-agent"
    yield Cause(
        "agent-not-running",
        FAIL,
        f"amazon-ssm-agent is installed but not running ({reason}).",
        [
            f"{install.path if install else 'the agent'} is there, no process of root runs it",
            *_unit_evidence(agent),
        ],
        [f"Start it: {command}", *without_login(o.instance)],
        reason=reason,
    )


def _unit_evidence(agent: Agent) -> list[str]:
    unit = agent.unit
    if unit is None:
        return []
    parts = [f"{unit.active_state} ({unit.sub_state})", unit.unit_file_state]
    if unit.load_state != "loaded":
        parts.append(f"its unit: {unit.load_state}")
    if unit.restart:
        parts.append(f"Restart={unit.restart}, restarted {unit.restarts} times")
    lines = [f"{unit.name}: {', '.join(part for part in parts if part)}"]
    if unit.exited_at:
        lines.append(
            f"last ended {unit.exited_at} with status {unit.exit_status}, result {unit.result}"
        )
    return lines


def _hybrid(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent is None or not agent.installs or not agent.is_hybrid:
        return
    node = agent.identity.registered_id or agent.identity.instance_id
    connected = o.connected is True
    yield Cause(
        "agent-hybrid",
        WARN if connected else FAIL,
        f"The agent acts as the hybrid node {node}, not as this instance"
        + (", and is connected as that." if connected else "."),
        [
            f"a registration of {node} in /var/lib/amazon/ssm",
            f"this instance is {o.instance.instance_id or 'not known'}",
        ],
        [
            "Clear the registration: systemctl stop amazon-ssm-agent && amazon-ssm-agent -register"
            " -clear && systemctl start amazon-ssm-agent. Never bake a registered agent.",
            *without_login(o.instance),
            "Then deregister the node (console: Systems Manager, Fleet Manager, the node, Node"
            " actions, Deregister this managed node):",
            aws(o.instance, f"ssm deregister-managed-instance --instance-id {node}"),
        ],
        reason="registered",
    )


def _not_enabled(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if o.image is not None:
        yield from _not_enabled_in_image(o)
        return
    if agent is None or not agent.running or agent.unit is None:
        return
    if agent.unit.unit_file_state not in NOT_AT_BOOT:
        return
    enable = "systemctl enable amazon-ssm-agent"
    if agent.install is not None and agent.install.package == "snap":
        enable = "snap start --enable amazon-ssm-agent"
    elif "masked" in agent.unit.unit_file_state:
        runtime = " --runtime" if "runtime" in agent.unit.unit_file_state else ""
        enable = f"systemctl unmask{runtime} amazon-ssm-agent && {enable}"
    yield Cause(
        "agent-not-enabled",
        WARN,
        "The agent runs now, but will not start at the next boot.",
        _unit_evidence(agent),
        [
            f"Enable it: {enable}, best in the AMI.",
            *run_command(o.instance, enable),
        ],
        reason=agent.unit.unit_file_state,
    )


def _not_enabled_in_image(o: Observed) -> Iterator[Cause]:
    state = o.image.agent_enabled if o.image else None
    if state is None or state == "enabled":
        return
    yield Cause(
        "agent-not-enabled",
        FAIL,
        f"The agent will not start on instances of this image: its unit is {state}.",
        [f"no unit file wants it ({state})"],
        [
            "Enable it in the image: systemctl enable amazon-ssm-agent (snap: it is enabled when it"
            " is installed).",
        ],
        reason=state,
    )


def _duplicate(o: Observed) -> Iterator[Cause]:
    installs = o.agent.installs if o.agent else ()
    packages = [install.package for install in installs]
    if "snap" not in packages or len([p for p in packages if p != "snap"]) == 0:
        return
    runs = o.agent.install if o.agent else None
    package = next(p for p in packages if p != "snap")
    remove = "snap remove amazon-ssm-agent"
    if runs is not None and runs.package == "snap":
        remove = {"rpm": "dnf remove -y amazon-ssm-agent"}.get(
            package, "apt-get purge -y amazon-ssm-agent"
        )
    yield Cause(
        "agent-duplicate",
        WARN,
        "The agent is installed twice, as a snap and as a package: both use the same state.",
        [f"{i.path}: {i.package or 'no'} package, version {i.version or '?'}" for i in installs],
        [
            f"Keep the one that runs, and remove the other: {remove}, best in the AMI.",
            *run_command(o.instance, remove),
        ],
        reason="snap-and-package",
    )


CAUSES = (
    CauseRow(
        "agent-missing",
        _missing,
        Explain(
            "amazon-ssm-agent is not on the instance.",
            "No program at the paths of the deb, rpm and snap packages, and none that runs.",
            "Install it in the AMI. Amazon Linux and Ubuntu images of AWS bring it; minimal "
            "images and most others do not.",
            "agent-not-running: installed, but stopped.",
        ),
        profiles=BOTH,
    ),
    CauseRow(
        "agent-misconfigured",
        _misconfigured,
        Explain(
            "amazon-ssm-agent.json does not parse, so that the agent exits, or it pins a Region "
            "or a host that cannot serve this instance (often left by the image's build).",
            "The file is read as the agent reads it; hosts in AWS's own naming scheme are "
            "compared with the instance's Region from IMDS and with the service they are for.",
            "Mend or remove /etc/amazon/ssm/amazon-ssm-agent.json and restart the agent.",
            "agent-not-running, endpoint-missing, role-lacks-permission.",
        ),
        profiles=BOTH,
    ),
    CauseRow(
        "agent-not-running",
        _not_running,
        Explain(
            "The agent is installed, but no process of it runs.",
            "No process of root in this host's namespaces runs the agent's program. systemd tells "
            "whether the unit is disabled, masked, failed, stopped or waiting to restart. Without "
            "IMDS, or with a configuration that does not parse, the agent ends by itself: then "
            "that is the cause.",
            "systemctl enable --now amazon-ssm-agent. Exit status 0 with IMDS away is the agent's "
            "own way; status 194 asks for a reboot and is no crash.",
            "imds-unreachable, agent-misconfigured.",
        ),
    ),
    CauseRow(
        "agent-hybrid",
        _hybrid,
        Explain(
            "The agent was registered as a hybrid (on-premises) node and takes that identity, so "
            "the instance itself never appears.",
            "A registration with an id mi-... in /var/lib/amazon/ssm on an EC2 instance; the agent "
            "prefers it to the instance's own identity. State of another instance (i-...) is only "
            "a note: the agent registers anew.",
            "amazon-ssm-agent -register -clear, then restart it; never bake a registered agent.",
            "role-lacks-permission, role-missing.",
            "Fleet Manager lists a node mi-... in place of the instance; the instance's Session "
            'Manager tab says "SSM Agent is not online".',
        ),
        profiles=BOTH,
    ),
    CauseRow(
        "agent-not-enabled",
        _not_enabled,
        Explain(
            "The agent runs, but its unit is not enabled.",
            "UnitFileState of systemctl show is disabled or masked while its process runs.",
            "systemctl enable amazon-ssm-agent, best in the AMI.",
            "agent-not-running: that is what it becomes at the next boot.",
            "None, until the next reboot.",
        ),
        profiles=BOTH,
    ),
    CauseRow(
        "agent-duplicate",
        _duplicate,
        Explain(
            "Two agents are installed, a snap and a deb or rpm package.",
            "Both programs are there. They share /var/lib/amazon/ssm and take turns in failing.",
            "Remove one of the two.",
            "agent-restart-needed.",
            "None, or an instance whose agent version changes back and forth.",
        ),
        profiles=BOTH,
    ),
)
