"""What Systems Manager says to a signed, read-only call with the instance's credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

# The kinds of policy that AWS names in the text of a denial (IAM user guide, "Troubleshoot access
# denied error messages"); "" where it names none.
IDENTITY = "identity-policy"
BOUNDARY = "permissions-boundary"
EXPLICIT = "explicit-deny"
ENDPOINT_POLICY = "endpoint-policy"
SCP = "scp"


@dataclass(frozen=True)
class Permission:
    """The answer to one `ssm:ListInstanceAssociations` for this instance.

    `state`: ok, denied (by the `policy` that the text names, for `action`), expired, rejected
    (`code`), clock (the signature's time is refused), throttled, server-error, foreign (an answer
    that no AWS service gives), no-answer, not-asked (it could not be remembered, and so would be
    asked too often). `text` holds no secret.
    """

    state: str
    status: int = 0
    code: str = ""
    text: str = ""
    action: str = ""
    policy: str = ""
    clock_offset_s: Optional[float] = None
