"""Causes about the agent's version: too old for the endpoints there are, unknown, or replaced."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import (
    BOTH,
    UPGRADE,
    VPC_CONSOLE,
    CauseRow,
    Explain,
    aws,
    create_endpoint,
    instance_id,
    reboot,
    run_command,
)
from agentcheck.diagnosis.services import agent_is_old, only_ec2messages_missing, usable
from agentcheck.model import FAIL, UNKNOWN, WARN, Cause
from agentcheck.observations import EC2MESSAGES, NO_EC2MESSAGES, Observed


def _newer(o: Observed) -> list[str]:
    """How to get a newer agent to run: it may be installed already."""
    agent = o.agent
    installed = agent.version if agent else None
    if agent and agent.running_version and installed and installed >= NO_EC2MESSAGES:
        return [_RESTART, reboot(o.instance)]
    return [UPGRADE]


_RESTART = (
    "Restart the agent, so that the installed version runs: systemctl restart amazon-ssm-agent"
    " (snap restart amazon-ssm-agent), or reboot (console: EC2, Instances, Instance state)."
)


def _restart_needed(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent is None or agent.updating:
        return
    running, installed = agent.running_version, agent.version
    if running is None or installed is None or running == installed:
        return
    yield Cause(
        "agent-restart-needed",
        WARN,
        f"The agent that runs is version {running}, while {installed} is installed.",
        [
            f"installed: {installed}",
            f"process {next((p.pid for p in agent.processes if p.deleted), '?')} runs a program"
            f" that was replaced since: {running}",
        ],
        [_RESTART, reboot(o.instance)],
        reason="replaced",
    )


def _needs_ec2messages(o: Observed) -> Iterator[Cause]:
    if not only_ec2messages_missing(o):
        return
    connected = o.connected is True
    name = o.names[EC2MESSAGES]
    version = o.agent.acting_version if o.agent else None
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
            *_newer(o),
            "The ec2messages endpoint was announced to retire on"
            f" {o.policy.ec2messages_retirement}; until the upgrade, it can be added"
            f" ({VPC_CONSOLE}, Create endpoint):",
            create_endpoint(o.instance, EC2MESSAGES),
        ],
        (EC2MESSAGES,),
        reason=name.state if name.state != "ok" else "unreachable",
    )


def _outdated(o: Observed) -> Iterator[Cause]:
    in_image = o.image is not None
    if not agent_is_old(o) or not (in_image or usable(o, EC2MESSAGES)):
        return
    version = o.agent.acting_version if o.agent else None
    yield Cause(
        "agent-outdated",
        WARN,
        f"Agent {version} is older than {NO_EC2MESSAGES} and depends on ec2messages, announced"
        f" to retire on {o.policy.ec2messages_retirement}.",
        [f"agent version {version}"] + ([] if in_image else ["ec2messages still works"]),
        [
            *_newer(o),
            "While it is connected (console: Systems Manager, Run Command, AWS-UpdateSSMAgent):",
            aws(
                o.instance,
                "ssm send-command --document-name AWS-UpdateSSMAgent"
                f" --instance-ids {instance_id(o.instance)}",
            ),
        ],
        reason="outdated",
    )


def _version_unknown(o: Observed) -> Iterator[Cause]:
    agent = o.agent
    if agent is None or not agent.installs or agent.version_known:
        return
    what = (
        f"{agent.acting_version} is a placeholder"
        if agent.acting_version
        else "no version could be read"
    )
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
            "Install a released package of amazon-ssm-agent, best in the AMI.",
            "amazon-ssm-agent -version, dpkg, rpm or snap should name its version.",
            *run_command(o.instance, "amazon-ssm-agent -version"),
        ],
        reason="placeholder" if agent.acting_version else "unreadable",
    )


CAUSES = (
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
        profiles=BOTH,
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
        profiles=BOTH,
    ),
    CauseRow(
        "agent-restart-needed",
        _restart_needed,
        Explain(
            "The agent's package was upgraded, and the process is still of the former version.",
            "/proc/PID/exe is deleted (or of a former snap revision) and says another version than "
            "the installed one. Not while the agent's updater runs.",
            "systemctl restart amazon-ssm-agent, at a moment without sessions.",
            "agent-outdated: there the installed one is old.",
            "None.",
        ),
    ),
)
