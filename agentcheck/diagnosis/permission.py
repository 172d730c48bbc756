"""Causes about what the role may do, as Systems Manager itself answers or the agent's log says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentcheck.diagnosis.role import POLICY, now_by_imds
from agentcheck.diagnosis.rows import CauseRow, Explain, aws, instance_id
from agentcheck.diagnosis.services import required, usable
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import LogEntry, Observed
from agentcheck.observations.permission import BOUNDARY, ENDPOINT_POLICY, EXPLICIT, SCP

# The agent's own proof that it may report is good for an hour (agent source,
# common/identity/credentialproviders/ec2roleprovider).
PROOF_S = 3600.0
_NOT_ONLINE = (
    'Session Manager tab: "SSM Agent is not online" (typical of a role problem); Fleet Manager '
    'does not list the instance, or shows "Connection lost".'
)


def _host_management(o: Observed) -> bool:
    """Whether the role need not be allowed anything; true too where that may not be seen."""
    agent = o.agent
    if agent is None:
        return False
    return agent.identity.unreadable or agent.host_management_active(now_by_imds(o))


def _refused_in_log(o: Observed) -> Sequence[LogEntry]:
    """Unresolved refusals in the agent's log that nothing we saw ourselves contradicts."""
    denied = o.agent_log.denied if o.agent_log else ()
    allowed = o.permission is not None and o.permission.state == "ok"
    return [entry for entry in denied if not (allowed and entry.action.startswith("ssm:"))]


def _proved(o: Observed) -> bool:
    """Whether the agent itself lately reported to Systems Manager with this role."""
    identity = o.agent.identity if o.agent else None
    return (
        identity is not None
        and identity.credential_source == "EC2"
        and identity.credentials_retrieved is not None
        and 0 <= now_by_imds(o) - identity.credentials_retrieved < PROOF_S
    )


def _role_lacks(o: Observed) -> Iterator[Cause]:
    if _host_management(o) or o.role is None or o.role.state != "present":
        return
    permission, logged = o.permission, _refused_in_log(o)
    asked = permission is not None and permission.state == "denied"
    if permission is not None and permission.policy in (ENDPOINT_POLICY, SCP):
        return
    if not asked and not logged:
        return
    policy = permission.policy if permission is not None and asked else ""
    actions = [permission.action] if permission is not None and asked else []
    actions += [entry.action for entry in logged]
    wanted = ", ".join(dict.fromkeys(action for action in actions if action)) or "the call"
    connected = o.connected is True
    # What we ask is not what the agent needs most: where it reported lately with this role, and
    # something else keeps it away, the role is no more than suspicious.
    elsewhere = any(not usable(o, endpoint.service) for endpoint in required(o))
    suspicious = connected or (asked and not logged and _proved(o) and elsewhere)
    yield Cause(
        "role-lacks-permission",
        WARN if suspicious else FAIL,
        f"The role {o.role.name} may not call Systems Manager ({wanted} is refused)"
        + {BOUNDARY: " by its permissions boundary", EXPLICIT: " by an explicit deny"}.get(
            policy, ""
        )
        + (", though the agent is connected." if connected else "."),
        ([permission.text] if permission is not None and asked else [])
        + [f"the agent's log: {entry.text}" for entry in logged],
        _role_steps(o, policy),
        reason=policy or "denied",
    )


def _role_steps(o: Observed, policy: str) -> list[str]:
    role = o.role.name if o.role else "ROLE"
    partition = o.instance.partition or "aws"
    attach = aws(
        o.instance,
        f"iam attach-role-policy --role-name {role}"
        f" --policy-arn arn:{partition}:iam::aws:policy/{POLICY}",
    )
    look = aws(o.instance, f"iam get-role --role-name {role} --query Role.PermissionsBoundary")
    listed = aws(o.instance, f"iam list-attached-role-policies --role-name {role}")
    restart = "Then restart the agent or reboot: after a refusal it sleeps for up to 30 minutes."
    if policy == BOUNDARY:
        return [
            f"Allow what {POLICY} allows in the permissions boundary of the role {role} (console:"
            f" IAM, Roles, {role}, Permissions boundary).",
            look,
            restart,
        ]
    if policy == EXPLICIT:
        return [
            f"Take the explicit deny out of the policies of the role {role} (console: IAM, Roles,"
            f" {role}, Permissions).",
            listed,
            restart,
        ]
    return [
        f"Attach {POLICY} to the role {role} (console: IAM, Roles, {role}, Add permissions).",
        attach,
        "If it has that: see its permissions boundary, the endpoint policies, and the"
        " organization's service control policies, which this answer does not tell apart.",
        look,
        restart,
    ]


def _endpoint_policy(o: Observed) -> Iterator[Cause]:
    permission = o.permission
    if permission is None or permission.policy != ENDPOINT_POLICY or _host_management(o):
        return
    vpc = o.instance.vpc_id or "VPC_ID"
    region = o.instance.region or "REGION"
    yield Cause(
        "endpoint-policy-denies",
        FAIL,
        "The policy of the VPC endpoint for ssm does not let this role through.",
        [permission.text],
        [
            "Allow the role in the endpoint's policy (console: VPC, Endpoints, the endpoint,"
            " Policy, Edit policy; Full access is the default).",
            aws(
                o.instance,
                f"ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={vpc}"
                f" Name=service-name,Values=com.amazonaws.{region}.ssm"
                " --query VpcEndpoints[].[VpcEndpointId,PolicyDocument]",
            ),
            aws(
                o.instance,
                "ec2 modify-vpc-endpoint --vpc-endpoint-id ENDPOINT_ID --reset-policy",
            ),
            "See the policies of the endpoints for ssmmessages and ec2messages too.",
        ],
        ("ssm",),
        reason=ENDPOINT_POLICY,
    )


def _scp(o: Observed) -> Iterator[Cause]:
    permission = o.permission
    if permission is None or permission.policy != SCP or _host_management(o):
        return
    yield Cause(
        "scp-denies",
        FAIL,
        "A service control policy of the organization denies Systems Manager to this account.",
        [permission.text],
        [
            "Ask the organization's administrators to allow ssm, ssmmessages and ec2messages"
            " (console: AWS Organizations, Policies, Service control policies).",
            "aws organizations list-policies --filter SERVICE_CONTROL_POLICY",
        ],
        reason=SCP,
    )


def _rejected(o: Observed) -> Iterator[Cause]:
    permission = o.permission
    if permission is None or permission.state != "rejected":
        return
    yield Cause(
        "credentials-rejected",
        FAIL,
        f"Systems Manager does not accept the credentials that IMDS gives ({permission.code}).",
        [permission.text, "the clock is right"],
        [
            "Attach the instance profile again, or stop and start the instance: IMDS then gives"
            " new credentials (console: EC2, Instances, Actions, Security, Modify IAM role).",
            aws(
                o.instance,
                "ec2 describe-iam-instance-profile-associations"
                f" --filters Name=instance-id,Values={instance_id(o.instance)}",
            ),
            "Look for something that answers in the place of IMDS (another account's or a"
            " container's), and whether the account or the Region is disabled.",
        ],
        ("ssm",),
        reason=permission.code or "rejected",
    )


CAUSES = (
    CauseRow(
        "role-lacks-permission",
        _role_lacks,
        Explain(
            "The role works, but may not do what the agent needs.",
            "One signed, read-only ssm:ListInstanceAssociations for this instance, which the agent "
            "asks too; for ssmmessages, which has no read-only call, the agent's log. The text of "
            "the refusal tells a permissions boundary or an explicit deny. Never while Default "
            "Host Management is active. A warning while the agent is connected.",
            f"Attach {POLICY} to the role; see its permissions boundary.",
            "role-missing; endpoint-policy-denies and scp-denies, which AWS does not always name.",
            _NOT_ONLINE,
        ),
    ),
    CauseRow(
        "endpoint-policy-denies",
        _endpoint_policy,
        Explain(
            "The VPC endpoint's own policy refuses the role.",
            "The service's text names a VPC endpoint policy. Where it names none, it is listed as "
            "possible under role-lacks-permission.",
            "Allow the role in the endpoint's policy; Full access is the default.",
            "role-lacks-permission.",
            _NOT_ONLINE,
        ),
    ),
    CauseRow(
        "scp-denies",
        _scp,
        Explain(
            "A service control policy of the organization refuses it, whatever the role allows.",
            "The service's text names a service control policy.",
            "The organization's administrators must allow it.",
            "role-lacks-permission.",
            _NOT_ONLINE,
        ),
    ),
    CauseRow(
        "credentials-rejected",
        _rejected,
        Explain(
            "AWS does not know the credentials, or finds the signature made with them wrong.",
            "UnrecognizedClientException or InvalidSignatureException to the signed call, with a "
            "clock that is right: with a wrong one it is clock-skew.",
            "Attach the profile again or stop and start the instance.",
            "credentials-expired, clock-skew, imds-not-genuine.",
            _NOT_ONLINE,
        ),
    ),
)
