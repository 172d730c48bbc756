"""AWS does not know the credentials that IMDS gives."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, healthy, refusal

SCENARIO = healthy(
    endpoints=(
        Endpoint(
            "ssm",
            SSM,
            signed=refusal(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
        ),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("credentials-rejected", "fail", 2, ("ssm",)),
)
