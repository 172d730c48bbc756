"""EC2 may not assume the role; Default Host Management gives the agent its own."""

import json

from tests.vpc.scenario import INSTANCE_ID, Agent, Imds, healthy, rfc3339

STATE = {
    "InstanceId": INSTANCE_ID,
    "IdentityType": "EC2",
    "CredentialsExpiresAt": rfc3339(3600),
    "CredentialSource": "SSM",
}
SCENARIO = healthy(
    imds=Imds(credentials_code="AssumeRoleUnauthorizedAccess"),
    agent=Agent(identity_config=json.dumps(STATE), connected=True),
)
