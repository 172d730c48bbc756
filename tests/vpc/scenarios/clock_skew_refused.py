"""AWS refuses the signature's time, though the metadata service agrees with this clock."""

from tests.vpc.scenario import SSM, SSMMESSAGES, Agent, Endpoint, Expect, healthy

SCENARIO = healthy(
    endpoints=(
        Endpoint("ssm", SSM, date_offset=4000),
        Endpoint("ssmmessages", SSMMESSAGES, date_offset=4000),
    ),
    agent=Agent(connected=False),
    expect=Expect("clock-skew", "fail", 2, notes=("clocks-disagree",)),
)
