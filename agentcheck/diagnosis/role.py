"""Causes about the instance's role and its credentials."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from agentcheck.clock import by_imds, utc
from agentcheck.diagnosis.machine import true_now
from agentcheck.diagnosis.rows import CauseRow, Explain, aws, instance_id
from agentcheck.model import FAIL, Cause
from agentcheck.observations import DEFAULT_HOST_MANAGEMENT, Observed

_CONSOLE = "console: EC2, Instances, Actions, Security, Modify IAM role"
POLICY = "AmazonSSMManagedInstanceCore"


def now_by_imds(o: Observed) -> float:
    """Credentials are dated by IMDS, so its clock says whether they have ended."""
    offset = o.imds.clock_offset_s if o.imds else None
    return true_now(o) if offset is None else by_imds(o.now, offset)


_utc = partial(utc, timespec="seconds")


def host_management(o: Observed) -> bool:
    """Whether Default Host Management gives the agent its credentials."""
    agent = o.agent
    return agent is not None and agent.host_management_active(
        now_by_imds(o), o.instance.instance_id
    )


def _missing(o: Observed) -> Iterator[Cause]:
    role, agent = o.role, o.agent
    if role is None or role.state not in ("no-profile", "no-role"):
        return
    if agent is not None and (
        # What may not be read may hold the credentials of Default Host Management.
        agent.identity.unreadable or host_management(o)
    ):
        return
    instance = o.instance
    empty = role.state == "no-role"
    evidence = ["IMDS lists no role (iam/security-credentials/)"]
    evidence.append(f"IMDS {'shows' if empty else 'shows no'} instance profile (iam/info)")
    if agent is not None and agent.identity.credential_source == "SSM":
        evidence.append("the agent's Default Host Management credentials have ended")
    attach = aws(
        instance,
        f"ec2 associate-iam-instance-profile --instance-id {instance_id(instance)}"
        " --iam-instance-profile Name=PROFILE_WITH_ROLE",
    )
    add = aws(
        instance,
        "iam add-role-to-instance-profile --instance-profile-name PROFILE --role-name ROLE",
    )
    yield Cause(
        "role-missing",
        FAIL,
        "The instance profile holds no role, so the agent has no credentials."
        if empty
        else "The instance has no role, so the agent has no credentials.",
        evidence,
        [
            f"Attach an instance profile whose role has {POLICY} ({_CONSOLE}), or switch on"
            " Default Host Management Configuration.",
            add if empty else attach,
            f"Default Host Management needs agent {DEFAULT_HOST_MANAGEMENT} or newer and IMDSv2:"
            " Systems Manager, Fleet Manager, Configure Default Host Management.",
            "The agent asks again by itself within 30 minutes; a reboot is quicker.",
        ],
        reason=role.state,
    )


def _not_assumable(o: Observed) -> Iterator[Cause]:
    role = o.role
    if role is None or role.state not in ("refused", "no-document"):
        return
    if (o.agent is not None and o.agent.identity.unreadable) or host_management(o):
        return  # an agent without the role's credentials turns to Default Host Management
    if role.state == "no-document":
        evidence = [f"IMDS lists the role {role.name} but has no credentials document for it"]
        reason = "no-document"
    else:
        evidence = [f"credentials document of {role.name}: Code {role.code}"]
        evidence += [role.message] if role.message else []
        reason = role.code
    yield Cause(
        "role-not-assumable",
        FAIL,
        f"EC2 may not assume the role {role.name}: IMDS gives no credentials for it.",
        evidence,
        [
            "Let ec2.amazonaws.com assume the role (console: IAM, Roles, the role, Trust"
            " relationships).",
            "If the role was deleted and made anew, attach the instance profile again.",
            aws(o.instance, f"iam get-role --role-name {role.name}"),
            aws(
                o.instance,
                "ec2 describe-iam-instance-profile-associations"
                f" --filters Name=instance-id,Values={instance_id(o.instance)}",
            ),
        ],
        reason=reason,
    )


def _expired(o: Observed) -> Iterator[Cause]:
    role = o.role
    if role is None or role.state != "present":
        return
    refused = o.permission is not None and o.permission.state == "expired"
    ended = role.expiration is not None and role.expiration < now_by_imds(o)
    if not ended and not (refused and true_now(o) == o.now):
        return
    when = f" ended {_utc(role.expiration)}" if ended and role.expiration else " have ended"
    evidence = [f"now {_utc(now_by_imds(o))}"]
    if role.expiration:
        evidence.insert(0, f"Expiration {_utc(role.expiration)}")
    if role.last_updated:
        evidence.append(f"last updated {_utc(role.last_updated)}")
    if refused and o.permission is not None:
        evidence.append(f"Systems Manager says {o.permission.text}")
    yield Cause(
        "credentials-expired",
        FAIL,
        f"The credentials of the role {role.name}{when}, and IMDS gives no newer ones.",
        evidence,
        [
            f"Attach the instance profile again ({_CONSOLE}), or stop and start the instance: IMDS"
            " then fetches new credentials.",
            aws(
                o.instance,
                "ec2 describe-iam-instance-profile-associations"
                f" --filters Name=instance-id,Values={instance_id(o.instance)}",
            ),
        ],
        reason="expiration" if ended else "token-refused",
    )


CAUSES = (
    CauseRow(
        "role-missing",
        _missing,
        Explain(
            "The instance has no role to sign requests with.",
            "IMDS answers and lists no role; iam/info tells whether there is a profile without a "
            "role. Where Default Host Management Configuration gives the agent credentials "
            "(identity_config.json, CredentialSource SSM, not ended), nothing is missing.",
            f"Attach an instance profile whose role has {POLICY}; or switch on Default Host "
            f"Management Configuration (agent >= {DEFAULT_HOST_MANAGEMENT}, IMDSv2).",
            "imds-unreachable; role-lacks-permission, where there is a role without the rights.",
        ),
    ),
    CauseRow(
        "role-not-assumable",
        _not_assumable,
        Explain(
            "There is a role, but EC2 may not assume it.",
            "The credentials document says a Code other than Success, such as "
            "AssumeRoleUnauthorizedAccess, or is not there.",
            "Mend the role's trust policy (Service: ec2.amazonaws.com, sts:AssumeRole). A role "
            "that was deleted and made anew has another id: attach the profile again.",
            "role-missing.",
        ),
    ),
    CauseRow(
        "credentials-expired",
        _expired,
        Explain(
            "IMDS holds credentials that have ended.",
            "Expiration of the credentials document against the clock, after the clock was "
            "compared with others: a wrong clock is clock-skew.",
            "Attach the profile again or stop and start the instance.",
            "clock-skew.",
        ),
    ),
)
