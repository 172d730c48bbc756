"""Causes about the instance metadata service."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import CauseRow, Explain, aws, instance_id, without_login
from agentcheck.model import FAIL, UNKNOWN, Cause
from agentcheck.observations import Imds, Observed

_CONSOLE = "console: EC2, Instances, Actions, Instance settings, Modify instance metadata options"
SHUT = ("disabled", "unreachable", "not-genuine")


def imds_is_shut(o: Observed) -> bool:
    """Whether the agent, too, must fail to learn who it is."""
    return o.imds is not None and o.imds.state in SHUT


def _in_state(o: Observed, state: str) -> Iterator[Imds]:
    if o.imds is not None and o.imds.state == state:
        yield o.imds


def _disabled(o: Observed) -> Iterator[Cause]:
    for imds in _in_state(o, "disabled"):
        yield Cause(
            "imds-disabled",
            FAIL,
            "The instance metadata service is switched off for this instance, so the agent finds"
            " neither identity nor credentials.",
            [imds.error],
            [
                f"Switch it on ({_CONSOLE}, Instance metadata service: Enable):",
                aws(
                    o.instance,
                    f"ec2 modify-instance-metadata-options --instance-id {instance_id(o.instance)}"
                    " --http-endpoint enabled --http-tokens required",
                ),
            ],
            reason="forbidden",
        )


_UNREACHABLE = {
    "no-route": (
        "this host has no route to 169.254.169.254",
        "Mend the host's route to 169.254.169.254 (ip route get 169.254.169.254) or the firewall"
        " that rejects it.",
    ),
    "timeout": (
        "nothing answers at 169.254.169.254",
        "Look for a host firewall (nft list ruleset, iptables -S) or route that drops"
        " 169.254.169.254.",
    ),
    "silent": (
        "it accepts the connection, then answers nothing",
        "In a container raise the hop limit to 2; else look for a host firewall or proxy that"
        " swallows the answer.",
    ),
    "refused": (
        "connections to 169.254.169.254 are refused",
        "Look for a host firewall (nft list ruleset, iptables -S) that rejects 169.254.169.254.",
    ),
}


def _unreachable(o: Observed) -> Iterator[Cause]:
    for imds in _in_state(o, "unreachable"):
        reason = imds.reason or "timeout"
        what, first = _UNREACHABLE[reason]
        uid = o.machine.uid if o.machine else 0
        # Images may let only root reach it. Whether the agent can is then told by its channel.
        shut_out = o.connected is True
        blind = o.connected is None and uid != 0
        evidence = [f"PUT http://169.254.169.254/latest/api/token: {imds.error}"]
        if shut_out:
            evidence.append("the agent holds a live connection, so it is not shut out itself")
        if blind:
            evidence.append(f"uid {uid} may not see whether the agent is connected")
        yield Cause(
            "imds-unreachable",
            UNKNOWN if shut_out or blind else FAIL,
            f"The instance metadata service cannot be reached by uid {uid}, while the agent is"
            " connected."
            if shut_out
            else f"The instance metadata service cannot be reached: {what}.",
            evidence,
            [
                f"Let uid {uid} reach it too, or run agentcheck as root."
                if uid != 0 and (shut_out or blind)
                else first,
                "Security groups and network ACLs do not filter it: host firewall, routes, network"
                " namespaces and the hop limit do.",
                f"The hop limit is a metadata option ({_CONSOLE}):",
                aws(
                    o.instance,
                    f"ec2 modify-instance-metadata-options --instance-id {instance_id(o.instance)}"
                    " --http-put-response-hop-limit 2",
                ),
            ],
            reason=reason,
        )


def _not_genuine(o: Observed) -> Iterator[Cause]:
    for imds in _in_state(o, "not-genuine"):
        yield Cause(
            "imds-not-genuine",
            FAIL,
            "Something else answers at the address of the instance metadata service.",
            [imds.error],
            [
                "Find what answers: ip route get 169.254.169.254, nft list ruleset (a proxy, a"
                " captive portal, a metadata emulator), and take it out of the way.",
                *without_login(o.instance),
            ],
            reason="foreign-answer",
        )


CAUSES = (
    CauseRow(
        "imds-disabled",
        _disabled,
        Explain(
            "The metadata service is switched off in the instance's metadata options.",
            "It answers the token request with 403. A network fault gives no answer at all.",
            "aws ec2 modify-instance-metadata-options --http-endpoint enabled; no reboot needed.",
            "imds-unreachable, role-missing.",
        ),
    ),
    CauseRow(
        "imds-unreachable",
        _unreachable,
        Explain(
            "The metadata service cannot be reached from here. Without it the agent does not know "
            "its identity, and ends (with exit status 0).",
            "no-route: this host's own table or a reject rule. timeout: packets are dropped. "
            "silent: connected, then nothing; typical of a container behind hop limit 1. When the "
            "agent itself is connected, only our user is shut out: unknown, not a failure.",
            "Security groups and NACLs do not filter 169.254.169.254. Look at the host's firewall "
            "(owner-match rules), routes and namespaces; for containers raise the hop limit.",
            "role-missing: there IMDS answers, and says that there is no role.",
        ),
    ),
    CauseRow(
        "imds-not-genuine",
        _not_genuine,
        Explain(
            "The address of the metadata service is answered by something that is not it.",
            "The token, the instance id or the Region do not have the shape that IMDS gives them "
            "(an HTML page, an error that IMDS does not know).",
            "Take the proxy, captive portal or emulator out of the way of 169.254.169.254.",
            "imds-disabled.",
        ),
    ),
)
