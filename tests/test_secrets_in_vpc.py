"""No secret in anything that is printed or written, however hard the world tries.

Every secret here has the word `canary` in it, and no output may: not even a part of one.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from agentcheck.render import renderer
from agentcheck.render.json import read
from tests.vpc import CANARIES, Vpc, default_command
from tests.vpc.scenario import (
    ECHO,
    SSM,
    SSMMESSAGES,
    Agent,
    Endpoint,
    Proxy,
    Reply,
    Scenario,
    healthy,
    log_time,
    refusal,
)

pytestmark = pytest.mark.vpc

USER, PASSWORD = "canary-user", "CanaryProxyPassword"
URL = f"http://{USER}:{PASSWORD}@10.0.0.99:3128"
ODD_URL = "http://canary-user:Canary/Pass?word#@[canary]@10.0.0.99:3128"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = "\n".join(CANARIES.values())
# Files that hold secrets and are read. Their time of access says whether they were.
CONFIG = "/etc/amazon/ssm/amazon-ssm-agent.json"
LOG = "/var/log/amazon/ssm/amazon-ssm-agent.log"
REGISTRATION = "/var/lib/amazon/ssm/registration"
READ = (CONFIG, LOG, REGISTRATION)
FORMATS = ("text", "json", "nagios", "prometheus", "html")
ENDPOINT = f"https://{USER}:{PASSWORD}@ssm.us-east-1.amazonaws.com/?X-Amz-Signature=canary"


def said(age: float, step: float) -> str:
    """The agent's log, full of secrets; the first line is `age` seconds old."""
    first, second, third, fourth = (log_time(step * n - age) for n in range(4))
    return f"""\
{first} INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.1611.0
{second} INFO Proxy environment variables: https_proxy: {URL} no_proxy: 169.254.169.254
{third} ERROR [CredentialRefresher] Retrieve credentials produced error: RequestError: send \
request failed caused by: Post "https://ssm/": proxyconnect tcp: {ODD_URL}: \
X-Amz-Security-Token: {CANARIES["session-token"]} secretAccessKey={CANARIES["secret-key"]}
{fourth} ERROR [ssm-agent-worker] [MessageService] [MGSInteractor] Failed to get controlchannel \
token, error: CreateControlChannel failed with error: {URL} Token={CANARIES["session-token"]} \
Authorization: AWS4-HMAC-SHA256 Credential=ASIACANARYEXAMPLE012/x, Signature=canary0123
"""


def endpoint(signed: Reply) -> tuple[Endpoint, ...]:
    return Endpoint("ssm", SSM, signed=signed), Endpoint("ssmmessages", SSMMESSAGES)


def credentials(code: str, message: str) -> str:
    keys = {"SecretAccessKey": CANARIES["secret-key"], "Token": CANARIES["session-token"]}
    return json.dumps({"Code": code, "Message": message, "AccessKeyId": "ASIACANARYX", **keys})


def imds(**paths: str) -> Any:
    return replace(healthy().imds, paths={k.replace("__", "/"): v for k, v in paths.items()})


def agent(**changes: Any) -> Agent:
    private = json.dumps({"ManagedInstanceID": "mi-0123456789abcdef0", "PrivateKey": "CanaryKey"})
    told = Agent(
        environment={"HTTPS_PROXY": URL, "CANARY": "canary", "http_proxy": ODD_URL},
        config=json.dumps({"Ssm": {"Endpoint": ENDPOINT}}),
        log=said(50, 10),
        registration=private,
        connected=False,
    )
    return replace(told, **changes)


@dataclass(frozen=True)
class World:
    """A scenario, and what its servers must have given or been told: a part of a record."""

    scenario: Scenario
    served: Mapping[str, Any]
    canaries: frozenset[str] = frozenset({"secret-key", "session-token", "imds-token"})


ECHOED = f"the request was: {ECHO} and the key {CANARIES['secret-key']}"
GOOD_PROXY = Proxy(user=USER, password=PASSWORD)
WORLDS = {
    "all in its place": World(
        healthy(agent=agent(), proxies=(GOOD_PROXY,)), {"server": "proxy", "status": 200}
    ),
    "the service repeats a bad signature's request": World(
        healthy(endpoints=endpoint(refusal("InvalidSignatureException", ECHOED))),
        {"server": "tls", "signed": True},
    ),
    "the service repeats the request where it denies": World(
        healthy(endpoints=endpoint(refusal("AccessDeniedException", ECHOED))),
        {"server": "tls", "signed": True},
    ),
    "the service repeats the request as its own code": World(
        healthy(endpoints=endpoint(refusal(ECHOED, ECHOED, 500))),
        {"server": "tls", "signed": True},
    ),
    "the service answers with a page of it": World(
        healthy(endpoints=endpoint((503, f"<html><title>{ECHO}</title>{SECRETS}</html>"))),
        {"server": "tls", "signed": True},
    ),
    "the proxy repeats its password where it denies": World(
        healthy(agent=agent(), proxies=(replace(GOOD_PROXY, mode="deny", echo=True),)),
        {"server": "proxy", "status": 403},
        frozenset({"imds-token"}),
    ),
    "the proxy wants another password": World(
        healthy(agent=agent(), proxies=(Proxy(user="x", password="CanaryOther", echo=True),)),
        {"server": "proxy", "status": 407},
        frozenset({"imds-token"}),
    ),
    "the proxy's address is odd": World(
        healthy(
            agent=agent(environment={"HTTPS_PROXY": ODD_URL, "https_proxy": ODD_URL}),
        ),
        {"server": "imds", "status": 200},
        frozenset({"imds-token"}),
    ),
    "the metadata service mixes things up": World(
        healthy(
            imds=imds(
                **{
                    "meta-data__instance-id": credentials("Success", ""),
                    "meta-data__placement__region": CANARIES["session-token"],
                    "meta-data__ami-id": CANARIES["secret-key"],
                    "meta-data__iam__info": credentials("Success", SECRETS),
                    "meta-data__security-groups": SECRETS,
                    "meta-data__services__domain": CANARIES["secret-key"],
                }
            )
        ),
        {"server": "imds", "status": 200},
        frozenset({"imds-token"}),
    ),
    "the metadata service gives the identity document for its parts": World(
        healthy(
            imds=imds(
                **{
                    "dynamic__instance-identity__document": credentials("Success", SECRETS),
                    "meta-data__iam__security-credentials__": credentials("Success", SECRETS),
                }
            )
        ),
        {"server": "imds", "status": 200},
        frozenset({"imds-token", "secret-key"}),
    ),
    "the role's document fails and holds the keys all the same": World(
        healthy(
            imds=imds(
                **{
                    "meta-data__iam__security-credentials__app-role": credentials(
                        "AssumeRoleUnauthorizedAccess",
                        f"no {CANARIES['secret-key']} and {CANARIES['session-token']}",
                    )
                }
            )
        ),
        {"server": "imds", "status": 200},
        frozenset({"imds-token", "secret-key"}),
    ),
    "the role's document has a key for its code": World(
        healthy(
            imds=imds(
                **{
                    "meta-data__iam__security-credentials__app-role": credentials(
                        CANARIES["secret-key"], ""
                    )
                }
            )
        ),
        {"server": "imds", "status": 200},
        frozenset({"imds-token", "secret-key"}),
    ),
}


def assert_none(text: str, what: str) -> None:
    """No secret, no part of one, no encoding of one."""
    found = text.lower()
    for wrong in ("canary", BASIC.lower(), "aws4-hmac", "signature=", "x-amz-security-token"):
        at = found.find(wrong)
        assert at < 0, f"{what}: ...{text[max(0, at - 200) : at + 60]}..."


def shell(vpc: Vpc, script: str) -> str:
    return vpc.run(["sh", "-c", script]).stdout


@pytest.fixture(scope="module")
def plain() -> Iterator[Vpc]:
    """Whose servers change from world to world, and whose files hold no secret."""
    with Vpc("healthy") as vpc:
        yield vpc


def prepare(vpc: Vpc, world: World) -> None:
    """Files that were read last long ago."""
    if world.scenario.agent.log:
        shell(vpc, f"touch -a -d @1 {' '.join(READ)}")
    else:
        vpc.update(imds=world.scenario.imds, endpoints=world.scenario.endpoints)


def assert_served(vpc: Vpc, world: World, since: int = 0) -> None:
    """There was something to give away: what the servers' record says, and files that were read."""
    served = [json.loads(line) for line in vpc.served[since:]]
    assert world.canaries <= {canary for one in served for canary in one.get("canaries", [])}
    assert [one for one in served if world.served.items() <= one.items()], served
    if world.scenario.agent.log:
        times = shell(vpc, f"stat -c %X {' '.join(READ)}").split()
        assert len(times) == len(READ)
        assert "1" not in times, dict(zip(READ, times))


@pytest.mark.parametrize("name", WORLDS)
def test_no_report_holds_a_secret_in_whatever_format(name: str, plain: Vpc) -> None:
    world = WORLDS[name]
    with contextlib.ExitStack() as stack:
        vpc = stack.enter_context(Vpc(world.scenario)) if world.scenario.agent.log else plain
        prepare(vpc, world)
        since = len(vpc.served)
        done = vpc.run(default_command(world.scenario, "--format", "json", "--verbose"))
        assert_served(vpc, world, since)
    if world.scenario.agent.log:
        assert "CreateControlChannel failed" in done.stdout
    assert done.stderr.count("\n") == 1
    assert_none(done.stderr, "--verbose")
    report = read(json.loads(done.stdout))
    for form in FORMATS:
        assert_none(renderer(form)(report), form)


def test_no_verb_prints_a_secret_and_no_file_holds_one() -> None:
    world = WORLDS["all in its place"]
    with Vpc(world.scenario) as vpc:
        prepare(vpc, world)
        run = " ".join(default_command(world.scenario))
        script = (
            f"mkdir -p /run/agentcheck; cd /run/agentcheck; for form in {' '.join(FORMATS)}; do"
        )
        script += f" {run} --console --format $form --output $form 2>$form.stderr & done; wait"
        shell(vpc, f"{script}; mv json report.json")
        for verb in ("status", "history", "explain", "list", "config"):
            done = vpc.run([*default_command(world.scenario)[:3], verb, "--format", "json"])
            assert_none(done.stdout + done.stderr, verb)
        assert_served(vpc, world)
        written = shell(vpc, "cat /run/agentcheck/* /tmp/* 2>/dev/null")
        console = shell(vpc, "cat /dev/console /dev/ttyS0")
    assert written.count("agent-hybrid") >= len(FORMATS)
    assert_none(written, "a file")
    assert "SUMMARY" in console
    assert_none(console, "the console")


def test_a_crash_of_a_round_leaves_no_core_with_the_credentials() -> None:
    script = (
        'ulimit -c unlimited; "$@" >/dev/null & '
        "until grep -q '^Max core file size *0  *0 ' /proc/$!/limits; do kill -0 $! || exit 1; done"
    )
    with Vpc("healthy") as vpc:
        done = vpc.run(["sh", "-c", script, "sh", *default_command(vpc.scenario)])
    assert (done.returncode, done.stderr) == (0, "")
