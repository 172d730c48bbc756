"""Causes about what the role may do, as Systems Manager itself answers or the agent's log says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agentcheck.diagnosis.role import POLICY, host_management, now_by_imds
from agentcheck.diagnosis.rows import CauseRow, Explain, aws, instance_id, listing
from agentcheck.diagnosis.services import names_of, required, usable
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import Observed
from agentcheck.observations.permission import (
    BOUNDARY,
    ENDPOINT_POLICY,
    EXPLICIT,
    RESOURCE_CONTROL,
    SCP,
    SESSION,
)

# The agent's own proof that it may report is good for an hour (agent source,
# common/identity/credentialproviders/ec2roleprovider).
PROOF_S = 3600.0
_NOT_ONLINE = (
    'Session Manager tab: "SSM Agent is not online" (typical of a role problem); Fleet Manager '
    'does not list the instance, or shows "Connection lost".'
)


@dataclass(frozen=True)
class _Refusal:
    """What was refused to the instance's role, by our call or by the agent's log."""

    action: str
    policy: str
    text: str
    asked: bool = False

    @property
    def service(self) -> str:
        return self.action.partition(":")[0]


def _refusals(o: Observed) -> Sequence[_Refusal]:
    """Those of today's role that nothing we saw ourselves contradicts."""
    found = []
    permission = o.permission
    if permission is not None and permission.state == "denied":
        found.append(_Refusal(permission.action, permission.policy, permission.text, asked=True))
    allowed = permission is not None and permission.state == "ok"
    for entry in o.agent_log.denied if o.agent_log else ():
        another = bool(entry.role and o.role and o.role.name and entry.role != o.role.name)
        if another or (allowed and entry.action.startswith("ssm:")):
            continue
        found.append(_Refusal(entry.action, entry.policy, f"the agent's log: {entry.text}"))
    return found


def _proved(o: Observed) -> bool:
    """Whether the agent itself lately reported to Systems Manager with this role."""
    identity = o.agent.identity if o.agent else None
    here = o.instance.instance_id
    return (
        identity is not None
        and identity.credential_source == "EC2"
        and (not identity.instance_id or not here or identity.instance_id == here)
        and identity.credentials_retrieved is not None
        and 0 <= now_by_imds(o) - identity.credentials_retrieved < PROOF_S
    )


def _role_lacks(o: Observed) -> Iterator[Cause]:
    if o.role is None or o.role.state != "present" or o.agent is None:
        return
    # With Default Host Management the role need not be allowed anything.
    if o.agent.identity.unreadable or host_management(o):
        return
    found = [r for r in _refusals(o) if r.policy not in (ENDPOINT_POLICY, SCP)]
    if not found:
        return
    policy = found[0].policy
    wanted = ", ".join(dict.fromkeys(r.action for r in found if r.action)) or "the call"
    connected = o.connected is True
    # What we ask is not what the agent needs most: where it reported lately with this role, and
    # something else keeps it away, the role is no more than suspicious.
    elsewhere = any(not usable(o, endpoint.service) for endpoint in required(o))
    suspicious = connected or (all(r.asked for r in found) and _proved(o) and elsewhere)
    by = f" by {_BY[policy]}" if policy in _BY else ""
    yield Cause(
        "role-lacks-permission",
        WARN if suspicious else FAIL,
        f"The role {o.role.name} may not call Systems Manager: {wanted} is refused{by}"
        + (", though the agent is connected." if connected else "."),
        [refusal.text for refusal in found],
        _role_steps(o, policy, any("explicit deny" in r.text for r in found)),
        reason=policy or "denied",
    )


_BY = {
    BOUNDARY: "its permissions boundary",
    EXPLICIT: "an explicit deny",
    SESSION: "a session policy",
    RESOURCE_CONTROL: "a resource control policy of the organization",
}
_RESTART = "Then restart the agent or reboot: after a refusal it sleeps for up to 30 minutes."


def _role_steps(o: Observed, policy: str, denied: bool) -> list[str]:
    """Where to change it: the place that the text names."""
    role = o.role.name if o.role else "ROLE"
    partition = o.instance.partition or "aws"
    boundary = aws(o.instance, f"iam get-role --role-name {role} --query Role.PermissionsBoundary")
    listed = aws(o.instance, f"iam list-attached-role-policies --role-name {role}")
    allow = "Take the explicit deny out of" if denied else f"Allow what {POLICY} allows in"
    if policy == BOUNDARY:
        place = f"the permissions boundary of the role {role}"
        return [f"{allow} {place} (console: IAM, Roles, {role}).", boundary, _RESTART]
    if policy in (EXPLICIT, SESSION):
        place = f"the policies of the role {role}" if policy == EXPLICIT else "the session policy"
        return [f"{allow} {place} (console: IAM, Roles, {role}, Permissions).", listed, _RESTART]
    if policy == RESOURCE_CONTROL:
        return [
            f"{allow} the resource control policies of the organization (console: AWS"
            " Organizations, Policies, Resource control policies).",
            "aws organizations list-policies --filter RESOURCE_CONTROL_POLICY",
            _RESTART,
        ]
    attach = aws(
        o.instance,
        f"iam attach-role-policy --role-name {role}"
        f" --policy-arn arn:{partition}:iam::aws:policy/{POLICY}",
    )
    return [
        f"Attach {POLICY} to the role {role} (console: IAM, Roles, {role}, Add permissions).",
        attach,
        "If it has that: see its permissions boundary, the endpoint policies, and the"
        " organization's service control policies"
        + ("." if policy else ", which this answer does not tell apart."),
        boundary,
        _RESTART,
    ]


def _named(o: Observed, policy: str) -> Sequence[_Refusal]:
    """Refusals whose text names that policy, which binds Default Host Management too."""
    return [refusal for refusal in _refusals(o) if refusal.policy == policy]


def _endpoint_policy(o: Observed) -> Iterator[Cause]:
    found = _named(o, ENDPOINT_POLICY)
    if not found:
        return
    services = names_of(e for e in o.endpoints.values() if e.service in {r.service for r in found})
    vpc = o.instance.vpc_id or "VPC_ID"
    region = o.instance.region or "REGION"
    names = ",".join(f"com.amazonaws.{region}.{service}" for service in services or ("ssm",))
    yield Cause(
        "endpoint-policy-denies",
        FAIL,
        f"The policy of the VPC endpoint for {listing(services) or 'ssm'} does not let this role"
        " through.",
        [refusal.text for refusal in found],
        [
            "Allow the role in the endpoint's policy (console: VPC, Endpoints, the endpoint,"
            " Policy, Edit policy; Full access is the default).",
            aws(
                o.instance,
                f"ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={vpc}"
                f" Name=service-name,Values={names}"
                " --query VpcEndpoints[].[VpcEndpointId,PolicyDocument]",
            ),
            aws(
                o.instance,
                "ec2 modify-vpc-endpoint --vpc-endpoint-id ENDPOINT_ID --reset-policy",
            ),
            "See the policies of the other endpoints too.",
        ],
        services,
        reason=ENDPOINT_POLICY,
    )


def _scp(o: Observed) -> Iterator[Cause]:
    found = _named(o, SCP)
    if not found:
        return
    yield Cause(
        "scp-denies",
        FAIL,
        "A service control policy of the organization denies Systems Manager to this account.",
        [refusal.text for refusal in found],
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
