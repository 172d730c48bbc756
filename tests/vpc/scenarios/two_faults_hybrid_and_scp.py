"""A hybrid registration, and the organization denies Systems Manager."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, denial, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=denial(" with an explicit deny in a service control policy")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(registration='{"ManagedInstanceID": "mi-0123456789abcdef0"}', connected=False),
    expect=Expect(
        "agent-hybrid",
        "fail",
        2,
        (),
        causes=("agent-hybrid", "scp-denies"),
    ),
)
