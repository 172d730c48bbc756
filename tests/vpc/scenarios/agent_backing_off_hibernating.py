"""The endpoint works again; the agent's worker hibernates."""

from tests.vpc.scenario import Agent, Expect, healthy, log_time

LOG = f"""\
{log_time(-2000)} INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.1611.0
{log_time(-1990)} INFO EC2RoleProvider Successfully connected with instance profile role \
credentials
{log_time(-1980)} ERROR [ssm-agent-worker] Entering SSM Agent hibernate - RequestError: send \
request failed
caused by: Post "https://ssm.us-east-1.amazonaws.com/": dial tcp 10.0.1.10:443: i/o timeout
"""
HIBERNATE = f"""\
{log_time(-1980)} INFO Agent is in hibernate mode. Reducing logging. Logging will be reduced to \
one log per backoff period
{log_time(-600)} INFO Health ping failed with error - RequestError: send request failed
{log_time(-600)} INFO Backing off health check to every 1200 seconds for 3600 seconds.
"""
SCENARIO = healthy(
    agent=Agent(connected=False, log=LOG, age=2000),
    files={"/var/log/amazon/ssm/hibernate.log": HIBERNATE},
    expect=Expect("agent-backing-off", "warn", 1, reason="hibernating"),
)
