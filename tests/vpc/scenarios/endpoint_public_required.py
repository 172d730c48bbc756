"""The services are reached over NAT where the configuration wants endpoints."""

from tests.vpc.scenario import BOTH, PUBLIC_SSM, PUBLIC_SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", PUBLIC_SSM), Endpoint("ssmmessages", PUBLIC_SSMMESSAGES)),
    files={"/etc/agentcheck/agentcheck.conf": "[endpoints]\nrequire_private = yes\n"},
    expect=Expect("endpoint-public", "fail", 2, BOTH),
)
