"""Two endpoints and all well; the log complains seven times of ec2messages."""

from tests.vpc.scenario import Agent, healthy, log_time

LOG = f"""\
{log_time(-120)} INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.1611.0
{log_time(-119)} INFO https_proxy:
{log_time(-118)} INFO Agent will take identity from EC2
{log_time(-117)} INFO EC2RoleProvider Successfully connected with instance profile role credentials
{log_time(-116)} INFO [CredentialRefresher] Credentials ready
{log_time(-110)} INFO [ssm-agent-worker] [MessageService] [MGSInteractor] Set up control channel \
successfully
{log_time(-110)} INFO [ssm-agent-worker] [MessageService] [MGSInteractor] SSM Connection channel \
status is set to ssmmessages
"""
NOISE = f"""\
{log_time(-100)} ERROR [ssm-agent-worker] [MessageService] [MDSInteractor] error when calling AWS \
APIs. error details - GetMessages Error: RequestError: send request failed
caused by: Post "https://ec2messages.us-east-1.amazonaws.com/": dial tcp: lookup \
ec2messages.us-east-1.amazonaws.com on 10.0.0.2:53: no such host
"""

SCENARIO = healthy(agent=Agent(log=LOG + 7 * NOISE, age=120))
