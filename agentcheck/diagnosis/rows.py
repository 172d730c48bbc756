"""What the tables of causes are made of, and small words that all of them use. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agentcheck.misconfiguration import problems
from agentcheck.model import Cause
from agentcheck.observations import (
    CORE_SERVICES,
    EC2MESSAGES,
    NO_EC2MESSAGES,
    Endpoint,
    Instance,
    Observed,
    Path,
)

# What the AWS console shows of a dead agent, for operators who search by it.
NOT_CONNECTED = (
    'Session Manager tab: "SSM Agent is not online" or "The instance is not connected to Session '
    'Manager"; Fleet Manager does not list the instance or shows "Connection lost".'
)


UPGRADE = (
    "Upgrade the agent: dnf or apt-get install --only-upgrade amazon-ssm-agent, snap refresh"
    " amazon-ssm-agent, or bake a newer AMI."
)


@dataclass(frozen=True)
class Explain:
    """The text of `agentcheck explain CODE`."""

    meaning: str
    told_by: str
    fix: str
    mistaken_for: str
    console: str = NOT_CONNECTED


@dataclass(frozen=True)
class CauseRow:
    """One row: the code, how it is found in what was observed, and what it means.

    `find` yields a cause for each independent fault (mostly none or one). `beats` are codes that
    merely follow from this one when its status is fail or unknown.
    """

    code: str
    find: Callable[[Observed], Iterable[Cause]]
    explain: Explain
    beats: Sequence[str] = ()


def listing(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def group_names(instance: Instance) -> str:
    """The instance's own security groups for a sentence."""
    return listing(instance.security_groups) or "the instance's security group"


def group_id(instance: Instance) -> str:
    """A group for a command line; a placeholder in capitals where IMDS gave none."""
    groups = [group for group in instance.security_groups if group.startswith("sg-")]
    return groups[0] if groups else "INSTANCE_SECURITY_GROUP"


def aws(instance: Instance, command: str) -> str:
    """An AWS CLI command with the instance's Region."""
    return f"aws {command} --region {instance.region or 'REGION'}"


def create_endpoint(instance: Instance, service: str) -> str:
    """The AWS CLI command that makes the interface endpoint with private DNS."""
    region = instance.region or "REGION"
    return aws(
        instance,
        f"ec2 create-vpc-endpoint --vpc-endpoint-type Interface"
        f" --vpc-id {instance.vpc_id or 'VPC_ID'}"
        f" --service-name com.amazonaws.{region}.{service}"
        f" --subnet-ids {instance.subnet_id or 'SUBNET_ID'}"
        " --security-group-ids ENDPOINT_SECURITY_GROUP --private-dns-enabled",
    )


def usable(o: Observed, service: str) -> bool:
    """DNS, TCP to at least one address and TLS worked."""
    path = o.paths.get(service)
    return path is not None and path.usable


def agent_is_old(o: Observed) -> bool:
    """Whether the agent is known to be one that needs ec2messages."""
    agent = o.agent
    return (
        agent is not None
        and agent.version is not None
        and agent.version_known
        and agent.version < NO_EC2MESSAGES
    )


def only_ec2messages_missing(o: Observed) -> bool:
    """An old agent's ec2messages is unusable while all else that it needs works."""
    required = [e.service for e in o.endpoints.values() if e.required]
    looked_at = EC2MESSAGES in o.names
    return (
        agent_is_old(o)
        and EC2MESSAGES in required
        and looked_at
        and not usable(o, EC2MESSAGES)
        and all(usable(o, service) for service in required if service != EC2MESSAGES)
    )


def judged(o: Observed) -> list[Endpoint]:
    """The required endpoints whose faults are causes of their own, in the usual order."""
    left_out = set(o.proxies)  # seen directly only, while the agent goes another way
    if only_ec2messages_missing(o):
        left_out.add(EC2MESSAGES)
    if o.agent is not None:
        if o.agent.environment_hidden:
            return []  # it may go through a proxy that we may not see
        if o.connected is None and not o.agent.version_known:
            left_out.add(EC2MESSAGES)  # nothing seen tells whether it is needed
        # A host that the configuration pins wrongly fails by that, whatever it does.
        left_out |= {p.service or "" for p in problems(o.agent.config, o.instance.region)}
    required = [e for e in o.endpoints.values() if e.required and e.service not in left_out]
    return sorted(required, key=lambda e: (e.service not in CORE_SERVICES, e.service))


def reached_publicly(o: Observed) -> list[tuple[Endpoint, Path]]:
    """The required endpoints that work, over public addresses only."""
    found = [(e, o.paths[e.service]) for e in judged(o) if usable(o, e.service)]
    return [(e, path) for e, path in found if all(c.scope == "public" for c in path.reached)]


def broken_paths(o: Observed) -> list[tuple[Endpoint, Path]]:
    """The required endpoints that no TCP connection reached."""
    found = [(e, o.paths[e.service]) for e in judged(o) if e.service in o.paths]
    return [(endpoint, path) for endpoint, path in found if not path.reached]


def names_of(endpoints: Iterable[Endpoint]) -> tuple[str, ...]:
    """Services in the order of CORE_SERVICES, then by name."""
    wanted = {endpoint.service for endpoint in endpoints}
    core = tuple(service for service in CORE_SERVICES if service in wanted)
    return core + tuple(sorted(wanted - set(core)))
