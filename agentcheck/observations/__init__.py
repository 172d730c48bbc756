"""What the probes saw, as plain facts: the shapes that pass from probes to checks and diagnosis.

A value of None means "not looked at" or "could not be seen", never "absent". Times are epoch
seconds of this host's clock unless said otherwise, durations are seconds.
"""

from agentcheck.observations.agent import (
    AGENT_PROGRAM,
    DEFAULT_HOST_MANAGEMENT,
    NO_EC2MESSAGES,
    NOT_AT_BOOT,
    Agent,
    AgentConfig,
    AgentIdentity,
    Channel,
    Install,
    Process,
    Socket,
    Unit,
    Version,
    parse_version,
)
from agentcheck.observations.agent_log import AgentLog, LogEntry
from agentcheck.observations.host import Imds, Instance, Machine, Role, Volume
from agentcheck.observations.image import Image
from agentcheck.observations.network import (
    CORE_SERVICES,
    EC2MESSAGES,
    SSM,
    SSMMESSAGES,
    TOO_LONG,
    Certificate,
    Comparison,
    Connection,
    Endpoint,
    Name,
    Path,
    ServerAnswer,
    TrustStore,
    Tunnel,
)
from agentcheck.observations.permission import Permission
from agentcheck.observations.round import Facts, Observed, Policy

__all__ = [
    "AGENT_PROGRAM",
    "CORE_SERVICES",
    "DEFAULT_HOST_MANAGEMENT",
    "EC2MESSAGES",
    "NOT_AT_BOOT",
    "NO_EC2MESSAGES",
    "SSM",
    "SSMMESSAGES",
    "TOO_LONG",
    "Agent",
    "AgentConfig",
    "AgentIdentity",
    "AgentLog",
    "Certificate",
    "Channel",
    "Comparison",
    "Connection",
    "Endpoint",
    "Facts",
    "Image",
    "Imds",
    "Install",
    "Instance",
    "LogEntry",
    "Machine",
    "Name",
    "Observed",
    "Path",
    "Permission",
    "Policy",
    "Process",
    "Role",
    "ServerAnswer",
    "Socket",
    "TrustStore",
    "Tunnel",
    "Unit",
    "Version",
    "Volume",
    "parse_version",
]
