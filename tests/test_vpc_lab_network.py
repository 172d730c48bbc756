"""The simulated VPC's names, Regions, resolvers and IP versions, seen from the instance."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from typing import Any

import pytest

from tests.vpc import Vpc
from tests.vpc.clients import CONNECT, IMDS, RESOLVE, peers, python, served
from tests.vpc.scenario import (
    EC2MESSAGES,
    IMDS_IPV6,
    INSTANCE_IPV6,
    IPV6_RESOLVER,
    SSM,
    SSMMESSAGES,
    VPC_RESOLVER,
    Agent,
    Endpoint,
    Imds,
    Resolver,
    Rule,
    Scenario,
    healthy,
)

pytestmark = pytest.mark.vpc


@pytest.mark.parametrize(
    ("region", "domain", "partition"),
    [
        ("eu-central-1", "amazonaws.com", "aws"),
        ("cn-north-1", "amazonaws.com.cn", "aws-cn"),
        ("us-gov-west-1", "amazonaws.com", "aws-us-gov"),
        ("us-iso-east-1", "c2s.ic.gov", "aws-iso"),
        ("us-isob-east-1", "sc2s.sgov.gov", "aws-iso-b"),
        ("eusc-de-east-1", "amazonaws.eu", "aws-eusc"),
    ],
)
def test_another_region(region: str, domain: str, partition: str) -> None:
    scenario = healthy(region=region, domain=domain, partition=partition)
    paths = ("placement/region", "placement/availability-zone", "services/domain")
    more = ("services/partition", "iam/info")
    with Vpc(scenario) as vpc:
        assert peers(vpc) == ["10.0.1.11:443"]
        assert python(vpc, CONNECT, f"ssm.{region}.{domain}", "443") in (
            "10.0.1.10\n",
            "10.0.2.10\n",
        )
        told = python(
            vpc, IMDS, "169.254.169.254", *(f"meta-data/{path}" for path in (*paths, *more))
        )
    assert [line.partition(" ")[2] for line in told.splitlines()[:4]] == [
        region,
        f"{region}a",
        domain,
        partition,
    ]
    assert f"arn:{partition}:iam::" in told


def test_an_endpoint_has_a_name_and_a_port_of_its_own() -> None:
    names = (
        "vpce-0abc-1.ssmmessages.us-east-1.vpce.amazonaws.com",
        "ssm.us-east-1.api.aws",
        "ssm.corp.example",
        "ssm-fips.us-east-1.amazonaws.com",
    )
    endpoints = (
        Endpoint("ssm", SSM),
        Endpoint("ssmmessages", SSMMESSAGES, host=names[0], port=8443),
        *(Endpoint("ssm", EC2MESSAGES, host=name, port=8443) for name in names[1:]),
    )
    config = json.dumps({"Mgs": {"Endpoint": names[0]}})
    with Vpc(healthy(endpoints=endpoints, agent=Agent(config=config, connected=True))) as vpc:
        assert peers(vpc) == ["10.0.1.11:8443"]
        for name in names:
            assert python(vpc, CONNECT, name, "8443").startswith("10.0.")
        outcome = vpc.run([sys.executable, "-c", RESOLVE, "ssmmessages.us-east-1.amazonaws.com"])
        assert "Name or service not known" in outcome.stderr
        assert vpc.run([sys.executable, "-c", CONNECT, "10.0.1.11", "443"]).returncode == 1
    with Vpc(healthy(endpoints=endpoints)) as vpc:
        assert peers(vpc) == []


def test_a_stub_resolver_is_on_the_instance() -> None:
    stub, upstream = "127.0.0.53", "/run/systemd/resolve/resolv.conf"
    name = "ssm.us-east-1.amazonaws.com"
    scenario = healthy(
        dns=(Resolver(stub), Resolver(VPC_RESOLVER)),
        resolv_conf=f"nameserver {stub}\n",
        files={upstream: f"nameserver {VPC_RESOLVER}\n"},
    )
    with Vpc(scenario) as vpc:
        assert python(vpc, RESOLVE, name) == "10.0.1.10 10.0.2.10\n"
        assert {e["address"] for e in served(vpc, "dns")} == {stub}
        vpc.update(dns=(Resolver(stub, "servfail"), Resolver(VPC_RESOLVER)))
        assert vpc.run([sys.executable, "-c", RESOLVE, name]).returncode == 1
        vpc.put("/etc/resolv.conf", f"nameserver {VPC_RESOLVER}\n")
        assert python(vpc, RESOLVE, name) == "10.0.1.10 10.0.2.10\n"
        vpc.put("/etc/resolv.conf", f"options timeout:1 attempts:1\nnameserver {stub}\n")
        for mode in ("refuse", "drop"):
            vpc.update(dns=(Resolver(stub, mode),))  # type: ignore[arg-type]
            begun = time.monotonic()
            assert vpc.run([sys.executable, "-c", RESOLVE, name]).returncode == 1
            assert (time.monotonic() - begun > 1) == (mode == "drop")


NAT64 = "64:ff9b::52.94.0.10"
IPV6_ONLY = healthy(
    ipv4=False,
    ipv6=True,
    imds=Imds(ipv6=True),
    dns=(Resolver(IPV6_RESOLVER),),
    resolv_conf=f"nameserver {IPV6_RESOLVER}\n",
    endpoints=(
        Endpoint("ssm", (NAT64,)),
        Endpoint("ssmmessages", ("2600:1f18:abcd:2::11",)),
    ),
)


def test_an_instance_without_ipv4() -> None:
    paths = ("local-ipv4", "ipv6", "mac")
    with Vpc(IPV6_ONLY) as vpc:
        assert peers(vpc) == ["2600:1f18:abcd:2::11:443"]
        assert "eth0" not in vpc.run(["cat", "/proc/net/route"]).stdout
        name = "ssm.us-east-1.amazonaws.com"
        assert python(vpc, CONNECT, name, "443") == "64:ff9b::345e:a\n"
        told = python(vpc, IMDS, f"[{IMDS_IPV6}]", *(f"meta-data/{path}" for path in paths))
        lines = told.splitlines()
        assert lines[:2] == ["meta-data/local-ipv4 404", f"meta-data/ipv6 {INSTANCE_IPV6}"]
        folder = f"meta-data/network/interfaces/macs/{lines[2].split()[1]}"
        told = python(
            vpc,
            IMDS,
            f"[{IMDS_IPV6}]",
            *(f"{folder}/{kind}-cidr-blocks" for kind in ("subnet-ipv6", "vpc-ipv6")),
            f"{folder}/subnet-ipv4-cidr-block",
        )
        assert [line.split()[1] for line in told.splitlines()] == [
            "2600:1f18:abcd:1::/64",
            "2600:1f18:abcd::/56",
            "404",
        ]
        outcome = vpc.run([sys.executable, "-c", IMDS, "169.254.169.254"])
        assert "Network is unreachable" in outcome.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": (Rule((NAT64,)),)}, "timed out"),
        ({"rules": (Rule((NAT64,), "tcp-reset"),)}, "refused"),
        ({"default_route": False}, "unreachable"),
    ],
)
def test_rules_and_routes_know_ipv6(change: dict[str, Any], message: str) -> None:
    scenario: Scenario = dataclasses.replace(IPV6_ONLY, **change)
    with Vpc(scenario) as vpc:
        command = [sys.executable, "-c", CONNECT, "ssm.us-east-1.amazonaws.com", "443"]
        assert message in vpc.run(command).stderr
        vpc.update(rules=(), default_route=True)
        assert vpc.run(command).returncode == 0


def test_the_metadata_service_has_no_ipv6_unless_asked_for() -> None:
    with Vpc(healthy(ipv6=True)) as vpc:
        assert vpc.run([sys.executable, "-c", IMDS, f"[{IMDS_IPV6}]"]).returncode == 1
        vpc.update(imds=Imds(ipv6=True))
        assert vpc.run([sys.executable, "-c", IMDS, f"[{IMDS_IPV6}]"]).returncode == 0
        vpc.update(imds=Imds("drop", ipv6=True))
        outcome = vpc.run([sys.executable, "-c", IMDS, f"[{IMDS_IPV6}]"])
        assert "timed out" in outcome.stderr
