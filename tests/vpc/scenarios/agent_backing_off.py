"""The role was attached lately; the agent, refused before, sleeps."""

from tests.vpc.scenario import Agent, Expect, healthy, log_time

LOG = f"""\
{log_time(-900)} INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.1611.0
{log_time(-890)} WARN EC2RoleProvider Failed to connect to Systems Manager with instance profile \
role credentials. Err: retrieved credentials failed to report to ssm. Error: EC2RoleRequestError: \
no EC2 instance role found
{log_time(-890)} ERROR EC2RoleProvider Failed to connect to Systems Manager with SSM role \
credentials. ec2 instance not yet registered with Systems Manager
{log_time(-890)} ERROR [CredentialRefresher] Retrieve credentials produced error: no valid \
credentials could be retrieved for ec2 identity. Default Host Management Err: ec2 instance not yet \
registered with Systems Manager
{log_time(-890)} INFO [CredentialRefresher] Sleeping for 28m23s before retrying retrieve credentials
"""
SCENARIO = healthy(
    agent=Agent(connected=False, log=LOG, age=900),
    expect=Expect("agent-backing-off", "warn", 1, reason="asleep"),
)
