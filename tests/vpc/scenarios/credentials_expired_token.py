"""IMDS calls the credentials fresh, and AWS calls them expired."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, healthy, refusal

SCENARIO = healthy(
    endpoints=(
        Endpoint(
            "ssm",
            SSM,
            signed=refusal(
                "ExpiredTokenException", "The security token included in the request is expired"
            ),
        ),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    agent=Agent(connected=False),
    expect=Expect("credentials-expired", "fail", 2),
)
