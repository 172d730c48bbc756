"""The agent had no role at first; it was attached, and the agent has connected since."""

from tests.vpc.scenario import Agent, healthy, log_time

LOG = f"""\
{log_time(-700)} INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.1611.0
{log_time(-690)} WARN EC2RoleProvider Failed to connect to Systems Manager with instance profile \
role credentials. Err: retrieved credentials failed to report to ssm. Error: EC2RoleRequestError: \
no EC2 instance role found
{log_time(-690)} ERROR EC2RoleProvider Failed to connect to Systems Manager with SSM role \
credentials. ec2 instance not yet registered with Systems Manager
{log_time(-690)} INFO [CredentialRefresher] Sleeping for 5m0s before retrying retrieve credentials
{log_time(-390)} INFO EC2RoleProvider Successfully connected with instance profile role \
credentials
{log_time(-390)} INFO [CredentialRefresher] Credentials ready
{log_time(-380)} INFO [ssm-agent-worker] [MessageService] [MGSInteractor] Set up control channel \
successfully
"""
SCENARIO = healthy(agent=Agent(log=LOG, age=700))
