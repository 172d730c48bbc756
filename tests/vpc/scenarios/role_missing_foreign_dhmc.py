"""No role; the image brought along another instance's Default Host Management."""

import json

from tests.vpc.scenario import Agent, Expect, Imds, healthy, rfc3339

STATE = {
    "InstanceId": "i-0fedcba9876543210",
    "IdentityType": "EC2",
    "CredentialsExpiresAt": rfc3339(3600),
    "CredentialSource": "SSM",
}
SCENARIO = healthy(
    imds=Imds(profile=False),
    agent=Agent(identity_config=json.dumps(STATE), connected=False),
    expect=Expect("role-missing", "fail", 2),
)
