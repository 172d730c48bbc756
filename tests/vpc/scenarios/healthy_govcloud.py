"""GovCloud."""

from tests.vpc.scenario import healthy

SCENARIO = healthy(region="us-gov-west-1", domain="amazonaws.com", partition="aws-us-gov")
