"""What the agent keeps in /var/lib/amazon/ssm: its identity, registrations, an update under way.

Source: agent source, common/runtimeconfig, agent/managedInstances/registration, agent/updateutil;
for the hybrid registration also the user guide, "Register a managed node".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from agentcheck.files import entries_of, parse_json, read_whole
from agentcheck.observations import AgentIdentity
from agentcheck.probes.imds import parse_time

FOLDER = Path("/var/lib/amazon/ssm")
MAX_FILE = 256 << 10
MAX_ENTRIES = 10_000
UPDATES = "update"
_NODE = re.compile(r"m?i-[0-9a-f]{8,32}")
# Where a registration of a hybrid node stands. They hold its private key too: only the id is read.
_REGISTRATIONS = ("registration", "Vault/Store/RegistrationKey")
_ID_KEYS = ("ManagedInstanceID", "instanceID", "InstanceID")


def identity(folder: Path = FOLDER) -> AgentIdentity:
    """Reads it. Never raises; `unreadable` when we lack the rights, or it is no such file."""
    try:
        document = _document(folder / "runtimeconfig" / "identity_config.json")
        registered = _registered(folder)
    except OSError:
        return AgentIdentity(unreadable=True)
    texts = {key: value for key, value in document.items() if isinstance(value, str)}
    return AgentIdentity(
        texts.get("InstanceId", "")[:40],
        texts.get("IdentityType", "")[:20],
        texts.get("CredentialSource", "")[:20],
        parse_time(texts.get("CredentialsExpiresAt")),
        parse_time(texts.get("CredentialsRetrievedAt")),
        registered_id=registered,
        former_ids=_former(folder),
    )


def _document(path: Path) -> dict[str, Any]:
    """The JSON object in a file, {} where there is none. Raises OSError where it is not known."""
    try:
        document = parse_json(read_whole(path, MAX_FILE).decode("utf-8", "replace"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _registered(folder: Path) -> str:
    for name in _REGISTRATIONS:
        document = _document(folder / name)
        for key in _ID_KEYS:
            value = document.get(key)
            if isinstance(value, str) and _NODE.fullmatch(value):
                return value
    return ""


def _former(folder: Path) -> tuple[str, ...]:
    """Instances and nodes that have a folder of their own."""
    try:
        names = entries_of(folder, MAX_ENTRIES)
    except OSError:
        return ()
    return tuple(name for name in names if _NODE.fullmatch(name))[:10]


def is_updater(program: str) -> bool:
    """Whether a program is the agent's updater, which stops and starts the agent."""
    return program.startswith(f"{FOLDER}/{UPDATES}/")
