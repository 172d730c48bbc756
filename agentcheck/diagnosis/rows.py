"""What the tables of causes are made of, and small words that all of them use. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agentcheck.model import Cause
from agentcheck.observations import Instance, Observed

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


# What holds of an instance and of the image that it is made from.
BOTH = ("instance", "image")


@dataclass(frozen=True)
class CauseRow:
    """One row: the code, how it is found in what was observed, and what it means.

    `find` yields a cause for each independent fault (mostly none or one). `beats` are codes that
    merely follow from this one when its status is fail or unknown. A row that stands
    `beside_another` says nothing without a failure of the same services, and one of `last_resort`
    nothing beside any failure or unknown. `profiles` are those that can tell it.
    """

    code: str
    find: Callable[[Observed], Iterable[Cause]]
    explain: Explain
    beats: Sequence[str] = ()
    beside_another: bool = False
    last_resort: bool = False
    profiles: Sequence[str] = ("instance",)


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


def instance_id(instance: Instance) -> str:
    """The instance's id for a command line."""
    return instance.instance_id or "INSTANCE_ID"


def without_login(instance: Instance) -> list[str]:
    """How to do something on a host that nobody can log in to."""
    return [
        "Without a login: the EC2 serial console (console: EC2, Instances, Connect, EC2 serial"
        " console), or user data that runs at every boot and a stop and start.",
        aws(
            instance,
            "ec2-instance-connect send-serial-console-ssh-public-key"
            f" --instance-id {instance_id(instance)} --serial-port 0"
            " --ssh-public-key file://KEY.pub",
        ),
    ]


def run_command(instance: Instance, command: str) -> list[str]:
    """How to run something on an instance that Systems Manager still reaches."""
    return [
        "While it is connected (console: Systems Manager, Run Command, AWS-RunShellScript):",
        aws(
            instance,
            "ssm send-command --document-name AWS-RunShellScript"
            f" --instance-ids {instance_id(instance)} --parameters 'commands=[{command}]'",
        ),
    ]


def reboot(instance: Instance) -> str:
    """The AWS CLI command that reboots this instance."""
    return aws(instance, f"ec2 reboot-instances --instance-ids {instance_id(instance)}")


VPC_CONSOLE = "console: VPC, Endpoints"


def hosted_zones(instance: Instance) -> str:
    """The AWS CLI command that lists the private hosted zones that answer in this VPC."""
    return aws(
        instance,
        "route53 list-hosted-zones-by-vpc"
        f" --vpc-id {instance.vpc_id or 'VPC_ID'} --vpc-region {instance.region or 'REGION'}",
    )


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
