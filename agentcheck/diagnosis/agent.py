"""Causes about amazon-ssm-agent itself."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.imds import imds_is_shut
from agentcheck.diagnosis.rows import UPGRADE, CauseRow, Explain, aws, create_endpoint
from agentcheck.diagnosis.services import agent_is_old, only_ec2messages_missing, usable
from agentcheck.misconfiguration import problems
from agentcheck.model import FAIL, UNKNOWN, WARN, Cause
from agentcheck.observations import EC2MESSAGES, NO_EC2MESSAGES, Agent, Observed

_LOCKED_OUT = (
    "Without a login: use the EC2 serial console, or put the command into user data that runs at"
    " every boot, and stop and start the instance."
)


def _missing(o: Observed) -> Iterator[Cause]:
    if o.agent is None or o.agent.installs:
        return
    yield Cause(
        "agent-missing",
        FAIL,
        "amazon-ssm-agent is not installed, so nothing on this instance can answer.",
        ["no program at /usr/bin/amazon-ssm-agent or /snap/amazon-ssm-agent/current"],
        [
            "Install it: dnf install amazon-ssm-agent, or snap install amazon-ssm-agent --classic"
            " (Ubuntu), best in the AMI.",
            "In a private subnet take the package from the Region's S3 bucket"
            f" amazon-ssm-{o.instance.region or 'REGION'} through an S3 gateway endpoint.",
            _LOCKED_OUT,
        ],
        reason="absent",
    )


def _misconfigured(o: Observed) -> Iterator[Cause]:
    if o.agent is None or not o.agent.installs or o.agent.config.unreadable:
        return
    config = o.agent.config
    found = problems(config, o.instance.region)
    if not found:
        return
    yield Cause(
        "agent-misconfigured",
        FAIL,
        f"The agent's configuration cannot work here: {found[0].text}.",
        [f"{config.path}: {problem.text}" for problem in found],
        [
            f"Mend or remove {config.path}, then: systemctl restart amazon-ssm-agent.",
            "The file is optional; amazon-ssm-agent.json.template beside it holds the defaults.",
            _LOCKED_OUT,
        ],
        reason=found[0].reason,
    )


def _not_running(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent is None or not agent.installs or agent.running or agent.processes_hidden:
        return
    reason = agent.stopped_reason
    # It exits by itself without IMDS or with a broken configuration; it is never disabled by it.
    exits_by_itself = imds_is_shut(o) or bool(agent.config.error and not agent.config.unreadable)
    if exits_by_itself and reason not in ("disabled", "masked"):
        return
    install = agent.install
    snap = install is not None and install.package == "snap"
    command = {
        "masked": "systemctl unmask amazon-ssm-agent && systemctl enable --now amazon-ssm-agent",
        "failed": "systemctl restart amazon-ssm-agent; journalctl -u amazon-ssm-agent tells why",
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
        [f"Start it: {command}", _LOCKED_OUT],
        reason=reason,
    )


def _unit_evidence(agent: Agent) -> list[str]:
    unit = agent.unit
    if unit is None:
        return []
    text = f"{unit.name}: {unit.active_state} ({unit.sub_state}), {unit.unit_file_state}"
    lines = [f"{text}, Restart={unit.restart}, restarted {unit.restarts} times"]
    if unit.exited_at:
        lines.append(
            f"last ended {unit.exited_at} with status {unit.exit_status}, result {unit.result}"
        )
    return lines


def _needs_ec2messages(o: Observed) -> Iterator[Cause]:
    if not only_ec2messages_missing(o):
        return
    connected = o.connected is True
    name = o.names[EC2MESSAGES]
    version = o.agent.version if o.agent else None
    status, consequence = {
        True: (WARN, "Run Command fails"),
        False: (FAIL, "it cannot take commands"),
        None: (UNKNOWN, "whether it is connected all the same cannot be seen"),
    }[o.connected]
    yield Cause(
        "agent-needs-ec2messages",
        status,
        f"Agent {version} is older than {NO_EC2MESSAGES} and needs the ec2messages endpoint,"
        f" which cannot be used here: {consequence}.",
        [
            f"agent version {version}",
            f"{name.host}: name {name.state}, no working connection",
            "ssm and ssmmessages work",
        ]
        + (["the agent holds a live channel to ssmmessages"] if connected else []),
        [
            UPGRADE,
            "The ec2messages endpoint was announced to retire on"
            f" {o.policy.ec2messages_retirement}; until the upgrade, it can be added:",
            create_endpoint(o.instance, EC2MESSAGES),
        ],
        (EC2MESSAGES,),
        reason=name.state if name.state != "ok" else "unreachable",
    )


def _outdated(o: Observed) -> Iterator[Cause]:
    if not agent_is_old(o) or not usable(o, EC2MESSAGES):
        return
    version = o.agent.version if o.agent else None
    yield Cause(
        "agent-outdated",
        WARN,
        f"Agent {version} is older than {NO_EC2MESSAGES} and depends on ec2messages, announced"
        f" to retire on {o.policy.ec2messages_retirement}.",
        [f"agent version {version}", "ec2messages still works"],
        [
            UPGRADE,
            aws(
                o.instance,
                "ssm send-command --document-name AWS-UpdateSSMAgent"
                f" --instance-ids {o.instance.instance_id or 'INSTANCE_ID'}",
            ),
        ],
        reason="outdated",
    )


def _version_unknown(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent is None or not agent.installs or agent.version_known:
        return
    what = f"{agent.version} is a placeholder" if agent.version else "no version could be read"
    install = agent.install
    assumed = {
        True: "the agent is connected, so ec2messages is not asked for",
        False: "ec2messages counts as needed",
        None: "whether it needs ec2messages is not known",
    }[o.connected]
    yield Cause(
        "agent-version-unknown",
        WARN,
        f"The agent's version is unknown ({what}): {assumed}.",
        [f"{install.path if install else 'the agent'}: {what}"],
        [
            "Install a released package of amazon-ssm-agent.",
            "amazon-ssm-agent -version, dpkg, rpm or snap should name its version.",
        ],
        reason="placeholder" if agent.version else "unreadable",
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
        "agent-needs-ec2messages",
        _needs_ec2messages,
        Explain(
            f"An agent older than {NO_EC2MESSAGES} takes its commands from ec2messages, and that "
            "endpoint cannot be used from here, while ssm and ssmmessages can.",
            "The version is compared as four numbers; the endpoint by name, TCP and TLS. With a "
            "live channel to ssmmessages it is a warning: sessions work, Run Command does not.",
            "Upgrade the agent first: the endpoint's retirement was announced.",
            "endpoint-missing: there other services are unusable too.",
        ),
    ),
    CauseRow(
        "agent-outdated",
        _outdated,
        Explain(
            f"The agent is older than {NO_EC2MESSAGES} and still works over ec2messages.",
            "Its version, and a working connection to ec2messages.",
            "Upgrade the agent before the endpoint retires.",
            "agent-needs-ec2messages: there the endpoint is already out of reach.",
            "None yet.",
        ),
    ),
    CauseRow(
        "agent-version-unknown",
        _version_unknown,
        Explain(
            "The version of the agent could not be read, or is a placeholder such as 3.3.0.0 that "
            "a build from source carries.",
            "Package database, snap metadata, then `amazon-ssm-agent -version` where only root "
            "could have written the file.",
            "Install a released package.",
            "agent-outdated.",
            "None.",
        ),
    ),
)
