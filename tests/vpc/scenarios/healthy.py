"""All is well: a private VPC with the two endpoints that a current agent needs."""

from tests.vpc.scenario import healthy

SCENARIO = healthy()
