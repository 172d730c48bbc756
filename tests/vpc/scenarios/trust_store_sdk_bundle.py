"""AWS_CA_BUNDLE leads to an empty file: the AWS SDK trusts nobody, ssmmessages works."""

from tests.vpc.scenario import Agent, Expect, healthy

SCENARIO = healthy(
    agent=Agent(environment={"AWS_CA_BUNDLE": "/etc/corp/ca.pem"}, connected=False),
    files={"/etc/corp/ca.pem": ""},
    expect=Expect("trust-store-empty", "fail", 2, ("ssm",)),
)
