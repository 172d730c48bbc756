"""An isolated Region: IMDS names its domain."""

from tests.vpc.scenario import healthy

SCENARIO = healthy(region="us-iso-east-1", domain="c2s.ic.gov", partition="aws-iso")
