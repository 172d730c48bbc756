"""The role lacks the rights, and Default Host Management gives the agent its own."""

import json

from tests.vpc.scenario import (
    INSTANCE_ID,
    SSM,
    SSMMESSAGES,
    Agent,
    Endpoint,
    denial,
    healthy,
    rfc3339,
)

STATE = {
    "InstanceId": INSTANCE_ID,
    "IdentityType": "EC2",
    "CredentialsExpiresAt": rfc3339(3600),
    "CredentialsRetrievedAt": rfc3339(-3600),
    "CredentialSource": "SSM",
}
SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" because no identity-based policy allows the action")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=True, identity_config=json.dumps(STATE)),
)
