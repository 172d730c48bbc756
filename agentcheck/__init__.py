"""agentcheck says why Session Manager cannot reach this EC2 instance."""

__version__ = "0.1.0"
