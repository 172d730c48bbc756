"""What the metadata service knows: the tree of one instance in its VPC."""

from __future__ import annotations

import json
from typing import Union

from tests.vpc.scenario import (
    ACCESS_KEY_ID,
    CANARIES,
    INSTANCE_ADDRESS,
    INSTANCE_ID,
    INSTANCE_IPV6,
    SUBNET_IPV6_CIDR,
    VPC_IPV6_CIDR,
    Imds,
    Reply,
    Scenario,
    rfc3339,
)

MAC = "0e:49:61:0f:c3:11"
ACCOUNT = "123456789012"
_AMI = "ami-0a1b2c3d4e5f67890"
_TYPE = "m7g.large"
_ZONE_IDS = {"us-east-1": "use1-az1", "eu-central-1": "euc1-az2", "cn-north-1": "cnn1-az1"}


def tree(scenario: Scenario) -> dict[str, Union[str, Reply]]:
    """Every path with its text, the scenario's overrides applied."""
    imds = scenario.imds
    zone = f"{scenario.region}a"
    address = INSTANCE_ADDRESS if scenario.ipv4 else None
    found: dict[str, Union[str, Reply, None]] = {
        "dynamic/instance-identity/document": _document(
            accountId=ACCOUNT,
            architecture="arm64",
            availabilityZone=zone,
            billingProducts=None,
            imageId=_AMI,
            instanceId=INSTANCE_ID,
            instanceType=_TYPE,
            pendingTime=rfc3339(-3600),
            privateIp=address,
            region=scenario.region,
            version="2017-09-30",
        ),
        "meta-data/ami-id": _AMI,
        "meta-data/instance-id": INSTANCE_ID,
        "meta-data/instance-type": _TYPE,
        "meta-data/ipv6": INSTANCE_IPV6 if scenario.ipv6 else None,
        "meta-data/local-hostname": scenario.hostname,
        "meta-data/local-ipv4": address,
        "meta-data/mac": MAC,
        "meta-data/placement/availability-zone": zone,
        "meta-data/placement/availability-zone-id": _ZONE_IDS.get(scenario.region, f"{zone}-1"),
        "meta-data/placement/region": scenario.region,
        "meta-data/public-ipv4": imds.public_ipv4,
        "meta-data/security-groups": "app",
        "meta-data/services/domain": scenario.domain,
        "meta-data/services/partition": scenario.partition,
        **{
            f"meta-data/network/interfaces/macs/{MAC}/{k}": v
            for k, v in _interface(scenario).items()
        },
        **{f"meta-data/iam/{key}": value for key, value in _iam(scenario).items()},
        "meta-data/identity-credentials/ec2/info": _document(
            Code="Success", LastUpdated=rfc3339(-600), AccountId=ACCOUNT
        ),
        "meta-data/identity-credentials/ec2/security-credentials/ec2-instance": _credentials(
            imds, "ASIACANARYEXAMPLE345", "identity-secret-key", "identity-session-token"
        ),
        **imds.paths,
    }
    return {f"/latest/{path}": text for path, text in found.items() if text is not None}


def _interface(scenario: Scenario) -> dict[str, str]:
    cidrs = scenario.imds.vpc_cidrs
    found = {
        "device-number": "0",
        "interface-id": "eni-0123456789abcdef0",
        "mac": MAC,
        "owner-id": ACCOUNT,
        "security-group-ids": "sg-0123abcd4567ef890",
        "security-groups": "app",
        "subnet-id": "subnet-0123456789abcdef0",
        "vpc-id": "vpc-0a1b2c3d4e5f60718",
        "vpc-ipv4-cidr-block": cidrs[0],
        "vpc-ipv4-cidr-blocks": "\n".join(cidrs),
    }
    if scenario.ipv4:
        found["local-ipv4s"] = INSTANCE_ADDRESS
        found["subnet-ipv4-cidr-block"] = "10.0.0.0/24"
    if scenario.ipv6:
        found["subnet-ipv6-cidr-blocks"] = SUBNET_IPV6_CIDR
        found["ipv6s"] = INSTANCE_IPV6
        found["vpc-ipv6-cidr-blocks"] = VPC_IPV6_CIDR
    return found


def _iam(scenario: Scenario) -> dict[str, str]:
    imds = scenario.imds
    if not imds.profile:
        return {}
    found = {
        "info": _document(
            Code="Success",
            LastUpdated=rfc3339(-600),
            InstanceProfileArn=f"arn:{scenario.partition}:iam::{ACCOUNT}:"
            "instance-profile/app-profile",
            InstanceProfileId="AIPACANARYEXAMPLE678",
        )
    }
    if imds.role is not None:
        found[f"security-credentials/{imds.role}"] = (
            _credentials(imds, ACCESS_KEY_ID, "secret-key", "session-token")
            if imds.credentials_code == "Success"
            else _document(
                Code=imds.credentials_code,
                Message=f"EC2 cannot assume the role {imds.role}. Please see documentation at "
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html"
                "#troubleshoot_iam-ec2_errors-info-doc.",
                LastUpdated=rfc3339(-600),
            )
        )
    return found


def _credentials(imds: Imds, key_id: str, secret: str, token: str) -> str:
    return _document(
        Code="Success",
        LastUpdated=rfc3339(imds.date_offset + imds.credentials_lifetime - 6 * 3600),
        Type="AWS-HMAC",
        AccessKeyId=key_id,
        SecretAccessKey=CANARIES[secret],
        Token=CANARIES[token],
        Expiration=rfc3339(imds.date_offset + imds.credentials_lifetime),
    )


def _document(**facts: object) -> str:
    return json.dumps(facts, indent=2)
