"""A service control policy denies Systems Manager to the account."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" with an explicit deny in a service control policy")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("scp-denies", "fail", 2),
)
