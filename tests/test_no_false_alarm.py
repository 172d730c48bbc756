"""No false alarm: what is odd, but healthy, is called healthy."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Sequence

import pytest

from tests.reports import parse, report_of
from tests.vpc import Vpc, default_command, scenarios
from tests.vpc.scenario import (
    INSTANCE_ID,
    LINK_LOCAL_RESOLVER,
    VPC_RESOLVER,
    Agent,
    Endpoint,
    Imds,
    Resolver,
    Rule,
    Scenario,
    host,
    log_time,
    rfc3339,
)

pytestmark = pytest.mark.vpc

# What is odd and must not raise an alarm: test_scenarios runs each and expects exactly this.
VARIANTS = {
    "healthy": ("healthy", "ok"),
    "healthy-nat": ("healthy", "ok"),
    "healthy-shared-endpoint": ("healthy", "ok"),
    "healthy-secondary-cidr": ("healthy", "ok"),
    "healthy-public-range": ("healthy", "ok"),
    "imds-slow": ("healthy", "ok"),
    "healthy-role-just-attached": ("healthy", "ok"),
    "healthy-slow-dns": ("healthy", "ok"),
    "healthy-dead-ipv6": ("healthy", "ok"),
    "healthy-snap": ("healthy", "ok"),
    "healthy-updating": ("healthy", "ok"),
    "healthy-noisy-log": ("healthy", "ok"),
    "healthy-throttled": ("healthy", "ok"),
    "healthy-service-error": ("healthy", "ok"),
    "healthy-middlebox-page": ("healthy", "ok"),
    "healthy-young-agent": ("healthy", "ok"),
    "healthy-no-log": ("healthy", "ok"),
    "healthy-systemd": ("healthy", "ok"),
    "healthy-not-restarted": ("healthy", "ok"),
    "healthy-many-addresses": ("healthy", "ok"),
    "healthy-other-ports-closed": ("healthy", "ok"),
    "healthy-stub": ("healthy", "ok"),
    "healthy-hosts-same": ("healthy", "ok"),
    "healthy-stale-registration": ("healthy", "ok"),
    "healthy-stale-registration-unconnected": ("healthy", "ok"),
    "healthy-dhmc-denied-role": ("healthy", "ok"),
    "role-missing-dhmc": ("healthy", "ok"),
    "healthy-proxy": ("healthy", "ok"),
    "healthy-proxy-tls": ("healthy", "ok"),
    "healthy-proxy-excluded": ("healthy", "ok"),
    "healthy-proxy-https-only": ("healthy", "ok"),
    "healthy-proxy-http-excluded": ("healthy", "ok"),
    "healthy-ipv6-only": ("healthy", "ok"),
    "healthy-nat64": ("healthy", "ok"),
    "healthy-dual-stack": ("healthy", "ok"),
    "healthy-china": ("healthy", "ok"),
    "healthy-govcloud": ("healthy", "ok"),
    "healthy-iso": ("healthy", "ok"),
    "healthy-override-vpce": ("healthy", "ok"),
    "healthy-override-fips": ("healthy", "ok"),
    "healthy-override-dual-stack": ("healthy", "ok"),
    "healthy-override-port": ("healthy", "ok"),
    "healthy-service-domain": ("healthy", "ok"),
    "healthy-optional-ec2messages": ("healthy", "ok"),
    "healthy-dead-ipv6-nat": ("healthy", "ok"),
    "healthy-dhmc-role-not-assumable": ("healthy", "ok"),
    "healthy-override-dot": ("healthy", "ok"),
}
DRAWS = 200
BATCH = 10


def test_the_table_of_healthy_variants_is_what_the_scenarios_expect() -> None:
    """Nothing is left out of the table, and nothing in it is expected to be otherwise."""
    everyone = {name: scenario.expect for name, scenario in scenarios().items()}
    assert len(VARIANTS) >= 20
    assert {n: (everyone[n].code, everyone[n].status) for n in VARIANTS} == VARIANTS
    assert {n for n, expect in everyone.items() if expect.code == "healthy"} == set(VARIANTS)


def test_imds_open_to_root_only_is_healthy_for_root_and_unknown_for_others() -> None:
    """Images do so with an owner match: then it is our user that is shut out, not the agent."""
    with Vpc("healthy") as vpc:
        vpc.instance_nft(
            "table inet own {\n chain output {\n type filter hook output priority 0;\n"
            " ip daddr 169.254.169.254 meta skuid != 0 drop\n }\n}"
        )
        assert report_of(vpc)["verdict"]["code"] == "healthy"
        command = default_command(vpc.scenario, "--format", "json")
        vpc.run(["chmod", "711", "/root"])  # where this Python may be
        other = ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all", *command]
        report = parse(vpc.run(other))
    assert (report["verdict"]["code"], report["status"]) == ("imds-unreachable", "unknown")
    assert "65534" in " ".join(report["verdict"]["evidence"])


def test_an_association_with_a_long_document_is_an_answer_like_any_other() -> None:
    healthy = Scenario()
    ssm, *others = healthy.endpoints
    answer = {"Associations": [{"AssociationId": "a", "Content": '"\\' * (32 << 10)}]}
    ssm = dataclasses.replace(ssm, signed=(200, json.dumps(answer)))
    with Vpc(dataclasses.replace(healthy, endpoints=(ssm, *others))) as vpc:
        report = report_of(vpc)
    assert [c["status"] for c in report["checks"] if c["id"] == "permission"] == ["ok"]
    assert (report["verdict"]["code"], report["notes"]) == ("healthy", [])


def test_a_channel_whose_address_dns_no_longer_gives_is_not_called_dead() -> None:
    """Over NAT the addresses of the endpoints change; the agent's connection stays."""
    with Vpc("healthy-nat") as vpc:
        vpc.stop_agent()
        vpc.update(agent=Agent(age=3600, connected=True))
        vpc.start_agent()
        first, second = vpc.scenario.endpoints
        moved = dataclasses.replace(second, addresses=(*second.addresses, "52.94.0.99"))
        resolvers = tuple(
            dataclasses.replace(r, records={host("ssmmessages"): ("52.94.0.99",)})
            for r in vpc.scenario.dns
        )
        vpc.update(endpoints=(first, moved), dns=resolvers)
        report = report_of(vpc)
    assert (report["verdict"]["code"], report["agent"]["connected"]) == ("healthy", None)


@pytest.mark.parametrize("first", range(0, DRAWS, BATCH))
def test_drawn_healthy_instances_raise_no_alarm(first: int) -> None:
    """Random addresses, names, versions, delays and logs; a failure names its seed."""
    for seed in range(first, first + BATCH):
        with Vpc(drawn(random.Random(seed))) as vpc:
            report = report_of(vpc)
        assert (report["verdict"]["code"], report["status"]) == ("healthy", "ok"), (
            seed,
            report["verdict"],
            [check for check in report["checks"] if check["status"] not in ("ok", "skip")],
        )


def drawn(dice: random.Random) -> Scenario:
    """One healthy instance."""
    region, domain, partition = dice.choice(
        [
            ("us-east-1", "amazonaws.com", "aws"),
            ("eu-central-1", "amazonaws.com", "aws"),
            ("cn-north-1", "amazonaws.com.cn", "aws-cn"),
            ("us-gov-west-1", "amazonaws.com", "aws-us-gov"),
        ]
    )
    services = _addresses(dice)
    ipv6 = dice.random() < 0.06
    dead = ("2600:1f18:abcd:2::10", "2600:1f18:abcd:2::11") if ipv6 else ()
    version = f"3.{dice.choice([3, 3, 4, 10])}.{dice.randint(41, 9999)}.0"
    optional_noise = dice.random() < 0.5
    return Scenario(
        region=region,
        domain=domain,
        partition=partition,
        ipv6=ipv6,
        imds=Imds(
            role=dice.choice(["app", "MyApp-Role_1", "a.b@c,d=e+f", "x" * 64]),
            vpc_cidrs=dice.choice(
                [("10.0.0.0/16",), ("10.0.0.0/8",), ("10.0.0.0/16", "100.64.0.0/16")]
            ),
            public_ipv4=dice.choice([None, "203.0.113.9"]),
            delay=dice.choice([0] * 16 + [0.02, 0.3, 1.0]),
            date_offset=dice.uniform(-20, 20),
            credentials_lifetime=dice.uniform(900, 6 * 3600),
        ),
        dns=(
            Resolver(VPC_RESOLVER, delay=dice.choice([0] * 12 + [0.05, 0.6, 1.5])),
            Resolver(LINK_LOCAL_RESOLVER),
        ),
        resolv_conf=f"nameserver {VPC_RESOLVER}\n"
        + dice.choice(["", "search ec2.internal corp.example\n", "options ndots:5 timeout:2\n"]),
        endpoints=(
            Endpoint("ssm", (*services[0], *dead[:1]), date_offset=dice.uniform(-20, 20)),
            Endpoint("ssmmessages", (*services[1], *dead[1:]), date_offset=dice.uniform(-20, 20)),
        ),
        rules=(Rule(dead),) if dead else (),
        hosts=dice.choice(["", "10.0.0.7 db.internal db\n", "# ssm.us-east-1.amazonaws.com\n"]),
        agent=Agent(
            installed=dice.choice(["deb", "deb", "snap"]),
            package_version=f"{version}-1",
            log=_log(dice, version) if optional_noise else None,
            age=dice.uniform(30, 1e6),
            unit=dice.choice([None, {}, {"UnitFileState": "generated"}]),
            identity_config=_identity() if dice.random() < 0.5 else None,
            environment=dice.choice([{}, {"no_proxy": "localhost"}, {"TZ": "Asia/Kolkata"}]),
        ),
        name="drawn",
    )


def _addresses(dice: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """One to three different ones for each service: in the VPC, peered, or public (NAT)."""
    net = dice.choice(["10.0", "10.0", "10.200", "100.64", "192.168", "52.94"])
    count = dice.randint(1, 3)
    hosts = dice.sample(range(4, 250), 2 * count)
    third = dice.randint(1, 254)
    made = [f"{net}.{third}.{host}" for host in hosts]
    return tuple(made[:count]), tuple(made[count:])


def _identity() -> str:
    return json.dumps(
        {
            "InstanceId": INSTANCE_ID,
            "IdentityType": "EC2",
            "CredentialsExpiresAt": rfc3339(3000),
            "CredentialsRetrievedAt": rfc3339(-600),
            "CredentialSource": "EC2",
        }
    )


_HARMLESS = (
    "INFO [ssm-agent-worker] [HealthCheck] HealthCheck reporting agent health.",
    "ERROR [ssm-agent-worker] [MessageService] [MDSInteractor] error when calling AWS APIs. error"
    " details - GetMessages Error: RequestError: send request failed\ncaused by: Post"
    ' "https://ec2messages.us-east-1.amazonaws.com/": dial tcp: i/o timeout',
    "ERROR [ssm-agent-worker] [inventory] Unable to gather AWS:WindowsUpdate",
    "WARN [ssm-agent-worker] Failed to read seelog.xml",
    "DEBUG something",
)


def _log(dice: random.Random, version: str) -> str:
    """A start, a success, and noise before, between and after."""
    lines: Sequence[str] = [
        f"INFO [amazon-ssm-agent] amazon-ssm-agent - v{version}",
        *dice.choices(_HARMLESS, k=dice.randint(0, 5)),
        "INFO EC2RoleProvider Successfully connected with instance profile role credentials",
        "INFO [CredentialRefresher] Credentials ready",
        *dice.choices(_HARMLESS, k=dice.randint(0, 5)),
        "INFO [ssm-agent-worker] [MessageService] [MGSInteractor] Set up control channel"
        " successfully",
        *dice.choices(_HARMLESS, k=dice.randint(0, 30)),
    ]
    age = dice.uniform(len(lines), 40000)
    return "".join(
        f"{log_time(-age + i * age / len(lines))} {line}\n" for i, line in enumerate(lines)
    )
