"""No role, and the credentials of Default Host Management have ended."""

import json

from tests.vpc.scenario import INSTANCE_ID, Agent, Expect, Imds, healthy, rfc3339

STATE = {
    "InstanceId": INSTANCE_ID,
    "IdentityType": "EC2",
    "CredentialsExpiresAt": rfc3339(-60),
    "CredentialsRetrievedAt": rfc3339(-3600),
    "CredentialSource": "SSM",
}

SCENARIO = healthy(
    imds=Imds(profile=False),
    agent=Agent(identity_config=json.dumps(STATE)),
    expect=Expect("role-missing", "fail", 2),
)
