"""The checks: what each says of what was seen, in the worlds of the diagnosis and beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import pytest

from agentcheck import runner
from agentcheck.checks import (
    Finding,
    agent_channel,
    agent_config,
    agent_enabled,
    agent_running,
    agent_version,
    discover,
    disk,
    ec2,
    image_cloud_init,
    permission,
    resolver,
    role,
)
from agentcheck.diagnosis import diagnose
from agentcheck.model import ERROR, FAIL, OK, SKIP, WARN
from agentcheck.observations import (
    AgentConfig,
    AgentIdentity,
    AgentLog,
    Channel,
    Comparison,
    Image,
    Imds,
    Machine,
    Name,
    Observed,
    Path,
    Permission,
    Policy,
    Role,
    ServerAnswer,
    Tunnel,
    Volume,
)
from tests.diagnosis.catalogue import DENIAL, PROXY, UNIT
from tests.diagnosis.wording import ALL
from tests.worlds import ADDRESSES, DEAD, NOW, UNSEEN, agent, connection, healthy, with_path


class Seen:
    """The facts of a round, as if it had seen a world."""

    def __init__(self, world: Observed) -> None:
        self._world = world
        self.policy = world.policy

    def __getattr__(self, name: str) -> Any:
        """What needs no argument: as it was seen, or what a round sees of nothing."""
        nothing: dict[str, Any] = {
            "machine": Machine(None),
            "imds": Imds("not-asked"),
            "role": Role("present", "app"),
            "agent": replace(agent(), installs=(), processes=()),
            "agent_log": AgentLog("absent"),
            "permission": Permission("ok", 200),
            "image": Image(),
            "services": tuple(self._world.endpoints),
        }
        found = getattr(self._world, name)
        return lambda: nothing.get(name) if found is None else found

    def endpoint(self, service: str) -> Any:
        return self._world.endpoints.get(service)

    def name(self, service: str) -> Name:
        return self._world.names.get(service, Name("host", "failed"))

    def path(self, service: str) -> Path:
        return self._world.paths.get(service, Path(()))

    def comparison(self, service: str) -> Optional[Comparison]:
        return self._world.comparisons.get(service)

    def proxy(self, service: str) -> Optional[str]:
        return self._world.proxies.get(service)

    def tunnel(self, service: str) -> Tunnel:
        return self._world.tunnels.get(service, Tunnel(PROXY, "unsupported", error="not tried"))

    def usable(self, service: str) -> bool:
        if self.proxy(service):
            return self.tunnel(service).usable
        return self.path(service).usable

    def now(self) -> float:
        return self._world.now


CHECKS = discover(("kms",))


@pytest.mark.parametrize("name", ALL)
def test_where_a_check_fails_the_diagnosis_knows_a_cause(name: str) -> None:
    """Checks and diagnosis are written apart, and look at the same facts. (The last guard, by which
    a failed check without a cause is never green, is not asked here.)"""
    world = ALL[name]
    checks = [check for check in CHECKS if world.policy.profile in check.profiles]
    results = runner.run(checks, Seen(world), 30)  # type: ignore[arg-type]
    assert not [result for result in results if "internal error" in result.summary]
    failed = [result.id for result in results if result.status == FAIL]
    assert not failed or diagnose(world)[0].status != OK


def said(found: Finding) -> tuple[str, Optional[str]]:
    return found.status, found.reason


@pytest.mark.parametrize(
    ("machine", "forced", "expected"),
    [
        (Machine(True, "Amazon EC2"), "auto", (OK, None)),
        (Machine(None), "auto", (SKIP, "no-dmi")),
        (Machine(False, "QEMU"), "auto", (WARN, "dmi")),
        (Machine(False, "QEMU"), "yes", (OK, None)),
        (Machine(True), "no", (WARN, "configured")),
    ],
)
def test_whether_it_is_an_instance(machine: Machine, forced: str, expected: object) -> None:
    world = healthy(machine=machine, policy=Policy(on_ec2=forced))
    assert said(ec2.check(Seen(world))) == expected  # type: ignore[arg-type]


HIDDEN = AgentIdentity(unreadable=True)
MANAGED = AgentIdentity(credential_source="SSM", credentials_expire=NOW + 9)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": Role("refused", "app", "Failed")}, (FAIL, "Failed")),
        ({"role": Role("no-profile"), "agent": agent(identity=HIDDEN)}, (ERROR, "no-rights")),
        ({"role": Role("no-profile"), "agent": agent(identity=MANAGED)}, (OK, "dhmc")),
        ({"role": Role("unreadable", error="HTTP 500")}, (ERROR, "unreadable")),
        ({"role": Role("present", "app", expiration=NOW - 1)}, (FAIL, "expired")),
        ({"role": Role("present", "app")}, (OK, None)),
    ],
)
def test_whether_it_has_a_role(changes: Mapping[str, Any], expected: object) -> None:
    assert said(role.check(Seen(healthy(**changes)))) == expected  # type: ignore[arg-type]


def denied(**changes: Any) -> Observed:
    answer = Permission("denied", 400, "AccessDeniedException", DENIAL, "ssm:X", "scp")
    return healthy(permission=answer, **changes)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (denied(), (FAIL, "scp")),
        (denied(agent=agent(identity=HIDDEN)), (ERROR, "no-rights")),
        (denied(agent=agent(identity=MANAGED)), (SKIP, "dhmc")),
        (denied(policy=Policy(signed_call="never")), (SKIP, "signed_call")),
        (denied(endpoints={}), (SKIP, "no-host")),
        (healthy(permission=Permission("throttled")), (SKIP, "throttled")),
        (healthy(permission=Permission("rejected", 400, "X", "X")), (FAIL, "rejected")),
        (healthy(), (OK, None)),
    ],
)
def test_whether_the_role_may_call(world: Observed, expected: object) -> None:
    assert said(permission.check(Seen(world))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("world", "cause"),
    [
        (healthy(proxies={"ssm": PROXY}, tunnels={"ssm": Tunnel(PROXY, "denied")}), "proxy.ssm"),
        (healthy(proxies={"ssm": PROXY}), None),
        (healthy(names={"ssm": Name("x", "nxdomain")}, paths={}), "dns.ssm"),
        (with_path(healthy(), "ssm", connection("10.0.1.10", tcp="timeout")), "tcp.ssm"),
        (with_path(healthy(), "ssm", connection("10.0.1.10", tls="hangs")), "tls.ssm"),
        (healthy(agent=agent(config=AgentConfig("p", endpoints={"ssm": "/"}))), "agent.config"),
    ],
)
def test_what_keeps_the_call_from_being_made(world: Observed, cause: Optional[str]) -> None:
    found = permission.check(Seen(world))  # type: ignore[arg-type]
    assert (found.status, found.caused_by) == (SKIP, cause)


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        ([Volume("/a", 10**9, 10)], (OK, None)),
        ([Volume("/a", error="EACCES"), Volume("/b", 10**9)], (ERROR, "unreadable")),
        ([Volume("/a", error="EACCES"), Volume("/b", 0)], (FAIL, "no-bytes")),
    ],
)
def test_whether_there_is_room(volumes: Sequence[Volume], expected: object) -> None:
    assert said(disk.check(Seen(healthy(disk=volumes)))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channel", "version", "expected"),
    [
        (DEAD, "3.3.1611.0", (SKIP, "no-channel")),
        (UNSEEN, "3.3.1611.0", (SKIP, "not-known")),
        (UNSEEN, "3.3.0.0", (ERROR, "not-known")),
        (Channel(True, "log"), "3.3.1611.0", (OK, None)),
    ],
)
def test_whether_it_is_connected(channel: Channel, version: str, expected: object) -> None:
    world = healthy(channel=channel, agent=agent(version))
    assert said(agent_channel.check(Seen(world))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "changes", "expected"),
    [
        (agent_running, {"running": False, "processes_hidden": True}, (ERROR, "hidden")),
        (agent_running, {"running": False, "updating": True}, (SKIP, "updating")),
        (agent_running, {"running": False}, (FAIL, "stopped")),
        (agent_enabled, {"unit": None}, (SKIP, "no-systemd")),
        (agent_enabled, {"unit": replace(UNIT, load_state="not-found")}, (SKIP, "no-unit")),
        (agent_enabled, {"unit": replace(UNIT, unit_file_state="masked")}, (WARN, "masked")),
        (agent_enabled, {"unit": replace(UNIT, unit_file_state="")}, (OK, None)),
        (
            agent_config,
            {"config": AgentConfig("p", "EACCES", unreadable=True)},
            (ERROR, "unreadable"),
        ),
        (agent_config, {"config": AgentConfig("p", "not JSON")}, (FAIL, "not-parsed")),
        (agent_config, {"config": AgentConfig("p", endpoints={"ssm": "a.example"})}, (OK, None)),
        (agent_version, {"version": "3.3.0.0"}, (WARN, "placeholder")),
        (agent_version, {"version": "3.3.39.9"}, (WARN, "outdated")),
        (agent_version, {"version": "3.3.40.0"}, (OK, None)),
        (agent_version, {"installs": ()}, (WARN, "unreadable")),
    ],
)
def test_what_is_said_of_the_agent(
    check: Any, changes: Mapping[str, Any], expected: object
) -> None:
    assert said(check.check(Seen(healthy(agent=agent(**changes))))) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("enabled", (OK, None)),
        ("absent", (SKIP, "not-needed")),
        ("disabled", (WARN, "disabled")),
        ("masked", (WARN, "masked")),
    ],
)
def test_whether_cloud_init_will_run(state: str, expected: object) -> None:
    found = image_cloud_init.check(Seen(healthy(image=Image(cloud_init=state))))  # type: ignore[arg-type]
    assert said(found) == expected


PRIVATE = ServerAnswer("169.254.169.253", "ok", ADDRESSES["ssm"])
WORKS, FAILS = Path((connection("10.0.1.10"),)), Path((connection("10.0.1.10", tcp="timeout"),))
PUBLIC = with_path(healthy(), "ssm", connection("52.94.0.10", "public"))


@pytest.mark.parametrize(
    ("world", "comparison", "expected"),
    [
        (PUBLIC, None, (SKIP, "not-needed")),
        (PUBLIC, Comparison(PRIVATE), (OK, None)),
        (PUBLIC, Comparison(PRIVATE, FAILS), (OK, "unusable")),
        (PUBLIC, Comparison(PRIVATE, WORKS), (WARN, "split")),
        (replace(PUBLIC, paths={}), Comparison(PRIVATE, WORKS), (FAIL, "split")),
    ],
)
def test_whether_another_resolver_knows_better(
    world: Observed, comparison: Optional[Comparison], expected: object
) -> None:
    found = {"ssm": comparison} if comparison else {}
    seen: Any = Seen(replace(world, comparisons=found))
    assert said(resolver.check(seen, "ssm")) == expected
