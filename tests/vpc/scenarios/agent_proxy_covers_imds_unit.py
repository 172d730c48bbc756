"""The agent's unit gives it a proxy that covers IMDS; the agent has ended."""

from tests.vpc.scenario import Agent, Expect, healthy

DROP_IN = """\
[Service]
Environment="http_proxy=http://10.0.0.99:3128"
Environment="no_proxy=localhost"
"""
SCENARIO = healthy(
    agent=Agent(running=False),
    files={"/etc/systemd/system/amazon-ssm-agent.service.d/override.conf": DROP_IN},
    expect=Expect("agent-proxy-covers-imds", "fail", 2),
)
