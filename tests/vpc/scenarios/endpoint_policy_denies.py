"""The policy of the VPC endpoint for ssm does not let the role through."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" because no VPC endpoint policy allows the action")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("endpoint-policy-denies", "fail", 2, ("ssm",)),
)
