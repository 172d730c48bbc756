"""The signed call meets an error of the service: nobody's fault."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, healthy, refusal

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=refusal("InternalServerError", "We have failed", 500)),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    expect=Expect(notes=("signed-call-unanswered",)),
)
