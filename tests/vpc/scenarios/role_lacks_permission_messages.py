"""The role may use ssm, but not ssmmessages: only the agent's log tells."""

from tests.vpc.scenario import INSTANCE_ID, Agent, Expect, healthy, log_time

LOG = f"""\
{log_time(-300)} INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.1611.0
{log_time(-299)} INFO EC2RoleProvider Successfully connected with instance profile role credentials
{log_time(-298)} INFO [CredentialRefresher] Credentials ready
{log_time(-295)} ERROR [ssm-agent-worker] [MessageService] [MGSInteractor] Failed to get \
controlchannel token, error: CreateControlChannel failed with error: createControlChannel request \
failed: unexpected response from the service <AccessDeniedException><Message>User: \
arn:aws:sts::123456789012:assumed-role/app-role/{INSTANCE_ID} is not authorized to perform: \
ssmmessages:CreateControlChannel on resource: *</Message></AccessDeniedException>
{log_time(-295)} INFO [ssm-agent-worker] [MessageService] [MGSInteractor] SSM Connection channel \
status is set to ec2messages
"""
SCENARIO = healthy(
    agent=Agent(connected=False, log=LOG, age=300),
    expect=Expect("role-lacks-permission", "fail", 2),
)
