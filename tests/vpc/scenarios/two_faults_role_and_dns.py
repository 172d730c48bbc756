"""EC2 may not assume the role, and the resolver refuses to answer."""

from tests.vpc.scenario import LINK_LOCAL_RESOLVER, VPC_RESOLVER, Expect, Imds, Resolver, healthy

SCENARIO = healthy(
    imds=Imds(credentials_code="AssumeRoleUnauthorizedAccess"),
    dns=(Resolver(VPC_RESOLVER, "refused"), Resolver(LINK_LOCAL_RESOLVER)),
    expect=Expect(
        "role-not-assumable",
        "fail",
        2,
        (),
        causes=("role-not-assumable", "dns-failing"),
    ),
)
