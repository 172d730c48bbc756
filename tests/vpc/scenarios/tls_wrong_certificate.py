"""The endpoints show a certificate for other names."""

from tests.vpc.scenario import BOTH, SSM, SSMMESSAGES, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, "wrong-name"),
        Endpoint("ssmmessages", SSMMESSAGES, "wrong-name"),
    ),
    expect=Expect("tls-wrong-certificate", "fail", 2, BOTH),
)
