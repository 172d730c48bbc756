"""Causes about a machine image, before its snapshot is taken."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import CauseRow, Explain, listing
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import Observed


def _credentials(o: Observed) -> Iterator[Cause]:
    if o.image is None or not o.image.credentials:
        return
    yield Cause(
        "image-holds-credentials",
        FAIL,
        "The image holds AWS keys of whoever built it: every instance made from it has them.",
        [f"{place}: a secret access key" for place in o.image.credentials],
        [
            f"Delete {listing(o.image.credentials)} from the image, and the keys in IAM: a snapshot"
            " that had them was already taken by somebody, for all you know.",
        ],
        reason="credentials",
    )


def _network(o: Observed) -> Iterator[Cause]:
    if o.image is None or o.agent is None:
        return
    config = o.agent.config
    named = {
        **{f"endpoint of {service}": host for service, host in config.endpoints.items()},
        **({"Agent.Region": config.region} if config.region else {}),
        **({"Mgs.Region": config.messages_region} if config.messages_region else {}),
        **({"Agent.ServiceDomain": config.domain} if config.domain else {}),
        **o.image.proxies,
    }
    if not named:
        return
    yield Cause(
        "image-pins-network",
        WARN,
        f"The image names {listing(list(named))}: right where it was built, perhaps nowhere else.",
        [f"{what}: {value}" for what, value in named.items()],
        [
            f"Take it out of {config.path or 'the unit of the agent'} unless it is meant for every"
            " instance; then: agentcheck run --profile image --skip image.network",
        ],
        reason="pinned",
    )


_SERVICES = {
    "agentcheck": "agentcheck, so that nothing will say why an instance cannot be reached",
    "clock": "a service that sets the clock, and AWS refuses signatures 5 minutes off",
    "cloud-init": "cloud-init, and with it user data, the way back into a locked-out instance",
}


def _services(o: Observed) -> Iterator[Cause]:
    image = o.image
    if image is None:
        return
    lacking = [] if image.agentcheck_enabled == "enabled" else ["agentcheck"]
    lacking += [] if image.clock else ["clock"]
    lacking += ["cloud-init"] if image.cloud_init in ("disabled", "masked") else []
    if not lacking:
        return
    remedies = {
        "agentcheck": "systemctl enable agentcheck agentcheck-boot",
        "clock": "systemctl enable chronyd (chrony on Debian and Ubuntu)",
        "cloud-init": "rm -f /etc/cloud/cloud-init.disabled; systemctl enable cloud-init",
    }
    yield Cause(
        "image-lacks-service",
        WARN,
        f"On instances of this image there will be no {_SERVICES[lacking[0]]}"
        + (f"; nor {listing(lacking[1:])}." if len(lacking) > 1 else "."),
        [f"{name}: not enabled" for name in lacking],
        [f"Enable it in the image: {remedies[name]}" for name in lacking],
        reason=lacking[0],
    )


CAUSES = (
    CauseRow(
        "image-holds-credentials",
        _credentials,
        Explain(
            "Somebody's AWS keys were left in the image.",
            "A secret access key in ~/.aws/credentials, /etc/environment, /etc/profile.d or the "
            "agent's own credentials file.",
            "Delete them, deactivate the keys, and build the image with an instance role.",
            "role-missing: SDKs prefer such keys to the role, so its rights seem to be wrong.",
            "None.",
        ),
        profiles=("image",),
    ),
    CauseRow(
        "image-pins-network",
        _network,
        Explain(
            "The agent's configuration or unit in the image names hosts, a Region or a proxy.",
            "amazon-ssm-agent.json, the agent's unit and its drop-ins, read as the agent and "
            "systemd read them.",
            "Take them out, or leave the check out by --skip image.network where they are meant.",
            "agent-misconfigured, proxy-unreachable: what it becomes on an instance elsewhere.",
            "None, until an instance is started in another network.",
        ),
        profiles=("image",),
    ),
    CauseRow(
        "image-lacks-service",
        _services,
        Explain(
            "A service that instances need is not enabled in the image.",
            "The unit files and what wants them: a systemd need not run for that.",
            "Enable agentcheck, a clock service (chrony with Amazon Time Sync) and cloud-init.",
            "agent-not-enabled, which is about the agent itself.",
            "None, until the first trouble.",
        ),
        profiles=("image",),
    ),
)
