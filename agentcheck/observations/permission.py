"""What Systems Manager says to a signed, read-only call with the instance's credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

# The kinds of policy that AWS names in the text of a denial (IAM user guide, "Troubleshoot access
# denied error messages"); "" where it names none.
IDENTITY = "identity-policy"
BOUNDARY = "permissions-boundary"
EXPLICIT = "explicit-deny"
ENDPOINT_POLICY = "endpoint-policy"
SCP = "scp"
SESSION = "session-policy"
RESOURCE_CONTROL = "resource-control-policy"
# The words of a refusal, the place of the policy before its kind: an explicit deny may stand in
# any of them.
_WORDS = (
    ("service control policy", SCP),
    ("resource control policy", RESOURCE_CONTROL),
    ("endpoint policy", ENDPOINT_POLICY),
    ("permissions boundary", BOUNDARY),
    ("session policy", SESSION),
    ("explicit deny", EXPLICIT),
    ("identity-based policy", IDENTITY),
)
_ROLE = re.compile(r":assumed-role/([\w+=,.@-]{1,128})/")


def policy_in(text: str) -> str:
    """The kind of policy that a refusal names, "" for none."""
    lower = text.lower()
    return next((kind for words, kind in _WORDS if words in lower), "")


def role_in(text: str) -> str:
    """The role that a refusal is about, "" where it names none."""
    found = _ROLE.search(text)
    return found[1] if found else ""


@dataclass(frozen=True)
class Permission:
    """The answer to one `ssm:ListInstanceAssociations` for this instance.

    `state`: ok, denied (by the `policy` that the text names, for `action`), expired, rejected
    (`code`), clock (the signature's time is refused), throttled, server-error, foreign (an answer
    that no AWS service gives), other (an error that says nothing of the role), no-answer,
    not-asked (it could not be remembered, and so would be
    asked too often). `text` holds no secret.
    """

    state: str
    status: int = 0
    code: str = ""
    text: str = ""
    action: str = ""
    policy: str = ""
    clock_offset_s: Optional[float] = None
