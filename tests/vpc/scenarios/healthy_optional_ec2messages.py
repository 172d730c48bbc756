"""All is well; ec2messages is watched as an optional endpoint and is not there."""

from tests.vpc.scenario import Expect, healthy

SCENARIO = healthy(
    environment={"AGENTCHECK_ENDPOINTS_OPTIONAL": "ec2messages"},
    expect=Expect(notes=("optional-endpoint",)),
)
