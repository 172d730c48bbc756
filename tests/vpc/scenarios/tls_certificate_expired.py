"""The endpoints' certificate has expired."""

from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(Endpoint("ssm", SSM, "expired"), Endpoint("ssmmessages", SSMMESSAGES, "expired")),
    expect=Expect("tls-certificate-expired", "fail", 2, BOTH),
)
