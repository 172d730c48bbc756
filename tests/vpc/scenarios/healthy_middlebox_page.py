"""A middlebox answers the signed call with a page: nobody's fault."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, signed=(200, "<html><body>Blocked by policy</body></html>")),
        Endpoint("ssmmessages", SSMMESSAGES),
    ),
    expect=Expect(notes=("signed-call-unanswered",)),
)
