"""All is well, but the resolver takes three seconds for an answer."""

from tests.vpc.scenario import LINK_LOCAL_RESOLVER, VPC_RESOLVER, Resolver, healthy

SCENARIO = healthy(dns=(Resolver(VPC_RESOLVER, delay=3.0), Resolver(LINK_LOCAL_RESOLVER)))
