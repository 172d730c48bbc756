"""The endpoints of China have a domain of their own."""

from tests.vpc.scenario import healthy

SCENARIO = healthy(region="cn-north-1", domain="amazonaws.com.cn", partition="aws-cn")
