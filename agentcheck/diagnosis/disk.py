"""The cause about the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentcheck.diagnosis.rows import BOTH, CauseRow, Explain, aws, listing, without_login
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import Observed, Volume

_WORDS = {
    "read-only": "is read-only",
    "no-bytes": "has no space left",
    "no-inodes": "has no inodes left",
}


def _evidence(volume: Volume) -> str:
    text = f"{volume.place}: {_WORDS[volume.trouble]}"
    counted = [] if volume.bytes_free is None else [f"{volume.bytes_free} bytes free"]
    counted += [] if volume.inodes_free is None else [f"{volume.inodes_free} inodes free"]
    return f"{text} ({', '.join(counted)})" if counted else text


def _together(places: Sequence[str], kind: str) -> str:
    """The places of one kind of trouble, in a sentence."""
    verb, _, rest = _WORDS[kind].partition(" ")
    if len(places) > 1:
        verb = {"is": "are", "has": "have"}[verb]
    return f"{listing(places)} {verb} {rest}"


def _full(o: Observed) -> Iterator[Cause]:
    full = [volume for volume in o.disk if volume.trouble]
    if not full or (o.agent is not None and not o.agent.installs):
        return
    connected = o.connected is True
    kinds = tuple(dict.fromkeys(volume.trouble for volume in full))
    parts = [_together([v.place for v in full if v.trouble == kind], kind) for kind in kinds]
    instance = o.instance.instance_id or "INSTANCE_ID"
    yield Cause(
        "disk-full",
        WARN if connected else FAIL,
        f"The agent cannot write where it must: {'; '.join(parts)}"
        + (". It is still connected." if connected else "."),
        [_evidence(volume) for volume in full],
        [
            "Mount it writable again, after a look at why it is not: dmesg, /etc/fstab."
            if kinds == ("read-only",)
            else "Make room: du -xh / | sort -h | tail, df -i; journalctl --vacuum-size=100M. Or"
            " enlarge the volume (console: EC2, Volumes, Modify volume), then the file system.",
            *without_login(o.instance),
            aws(
                o.instance,
                f"ec2 describe-volumes --filters Name=attachment.instance-id,Values={instance}",
            ),
            aws(o.instance, "ec2 modify-volume --volume-id VOLUME_ID --size SIZE_IN_GIB"),
        ],
        reason=kinds[0],
    )


CAUSES = (
    CauseRow(
        "disk-full",
        _full,
        Explain(
            "The agent cannot write its state, its logs or temporary files, so it does not start, "
            "and its commands fail.",
            "Free bytes and inodes as root sees them (some file systems do not count inodes), and "
            "whether the file system is mounted read-only, at /var/lib/amazon/ssm, "
            "/var/log/amazon/ssm and /tmp. A warning while the agent is connected.",
            "Make room or enlarge the volume; a file system that turned read-only had errors.",
            'agent-not-running; commands that end in "plugin not found".',
        ),
        profiles=BOTH,
    ),
)
