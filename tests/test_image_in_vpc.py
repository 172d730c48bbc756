"""`agentcheck run --profile image`: a clean image passes, and each leftover is caught."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from tests.reports import parse, report_of
from tests.vpc import Vpc, default_command
from tests.vpc.scenario import INSTANCE_ID, Agent, Imds, Resolver, Rule, Scenario

pytestmark = pytest.mark.vpc

UNITS = "/etc/systemd/system"
ENABLED = ("amazon-ssm-agent", "agentcheck", "chrony", "cloud-init")
FILES = {
    **{f"{UNITS}/{name}.service": "[Service]\n" for name in ENABLED},
    **{f"{UNITS}/multi-user.target.wants/{name}.service": "" for name in ENABLED},
}
CLEAN = Scenario(
    # The builder's own network and metadata say nothing of the instances to come.
    imds=Imds("drop"),
    dns=(Resolver("10.0.0.2", "drop"),),
    rules=(Rule(),),
    agent=Agent(running=False),
    files=FILES,
    run_args=("--profile", "image"),
)
KEY = "aws_secret_access_key = CanarySecretKey0000000000000000000EXAMPL\n"
REGISTRATION = '{"ManagedInstanceID": "mi-0123456789abcdef0", "Region": "us-east-1"}'


def without(name: str) -> dict[str, Any]:
    files = {**FILES, f"{UNITS}/multi-user.target.wants/{name}.service": None}
    return {"files": files}


def also(path: str, text: str) -> dict[str, Any]:
    return {"files": {**FILES, path: text}}


def agent(**changes: Any) -> dict[str, Any]:
    return {"agent": Agent(running=False, **changes)}


DROP_IN = f"{UNITS}/amazon-ssm-agent.service.d/proxy.conf"
LEFTOVERS: dict[str, tuple[dict[str, Any], str]] = {
    "no agent": (agent(installed="none"), "agent-missing"),
    "an old agent": (
        agent(version="3.2.2303.0", package_version="3.2.2303.0-1"),
        "agent-outdated",
    ),
    "the agent is not enabled": (without("amazon-ssm-agent"), "agent-not-enabled"),
    "a hybrid registration": (agent(registration=REGISTRATION), "agent-hybrid"),
    "the builder's keys": (also("/root/.aws/credentials", KEY), "image-holds-credentials"),
    "keys in the environment": (
        also("/etc/environment", "AWS_SECRET_ACCESS_KEY=CanarySecretKey0000000000000000000EXAMPL"),
        "image-holds-credentials",
    ),
    "agentcheck is not enabled": (without("agentcheck"), "image-lacks-service"),
    "a pinned endpoint": (
        agent(config='{"Ssm": {"Endpoint": "ssm.corp.example"}}'),
        "image-pins-network",
    ),
    "a proxy of the build": (
        also(DROP_IN, '[Service]\nEnvironment="https_proxy=http://u:secret@10.9.9.9:3128"\n'),
        "image-pins-network",
    ),
    "a broken configuration": (agent(config="{"), "agent-misconfigured"),
    "no CA certificates": ({"trust": "empty"}, "trust-store-empty"),
    "no clock service": (without("chrony"), "image-lacks-service"),
    "cloud-init is disabled": (also("/etc/cloud/cloud-init.disabled", ""), "image-lacks-service"),
    "a full disk": (
        {"mounts": {"/var/log/amazon/ssm": "ro"}},
        "disk-full",
    ),
    "two agents": (agent(installed="both"), "agent-duplicate"),
}


def test_a_clean_image_passes_without_imds_or_network() -> None:
    with Vpc(CLEAN) as vpc:
        report = report_of(vpc)
        assert (report["verdict"]["code"], report["status"]) == ("healthy", "ok"), report["verdict"]
        assert report["profile"] == "image"
        assert report["duration_s"] < 3
        assert vpc.served == []  # nobody was asked anything
        text = vpc.run(default_command(vpc.scenario)).stdout
    assert "The image is in order" in text
    assert {check["id"] for check in report["checks"]} >= {"image.credentials", "image.clock"}


@pytest.mark.parametrize("name", LEFTOVERS)
def test_a_leftover_is_caught(name: str) -> None:
    changes, code = LEFTOVERS[name]
    with Vpc(dataclasses.replace(CLEAN, **changes)) as vpc:
        outcome = vpc.run(default_command(vpc.scenario, "--format", "json"))
        report = parse(outcome)
    assert [cause["code"] for cause in report["causes"]] == [code]
    assert outcome.returncode in (1, 2)
    assert "CanarySecretKey" not in outcome.stdout
    assert "u:secret" not in outcome.stdout


def test_state_of_the_builders_instance_is_only_a_note() -> None:
    identity = json.dumps({"InstanceId": INSTANCE_ID, "CredentialSource": "EC2"})
    with Vpc(dataclasses.replace(CLEAN, **agent(identity_config=identity))) as vpc:
        report = report_of(vpc)
    assert report["verdict"]["code"] == "healthy"
    assert [note["code"] for note in report["notes"]] == ["stale-registration"]
