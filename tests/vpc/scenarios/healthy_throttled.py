"""The signed call is throttled: nobody's fault."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, healthy, refusal

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=refusal("ThrottlingException", "Rate exceeded")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    expect=Expect(notes=("signed-call-unanswered",)),
)
