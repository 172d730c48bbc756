"""No role, and none needed: Default Host Management gives the agent its credentials."""

import json

from tests.vpc.scenario import INSTANCE_ID, Agent, Imds, healthy, rfc3339

STATE = {
    "SchemaVersion": "1.1",
    "InstanceId": INSTANCE_ID,
    "IdentityType": "EC2",
    "ShareFile": "/var/lib/amazon/ssm/credentials",
    "ShareProfile": "",
    "CredentialsExpiresAt": rfc3339(3600),
    "CredentialsRetrievedAt": rfc3339(-60),
    "CredentialSource": "SSM",
}

SCENARIO = healthy(
    imds=Imds(profile=False),
    agent=Agent(identity_config=json.dumps(STATE)),
)
