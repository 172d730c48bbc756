"""Every code: a world that has it, and a remedy that can be done as it is written."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from agentcheck.diagnosis import CODES, ROWS, diagnose
from agentcheck.model import FAIL, Cause
from tests.diagnosis.catalogue import BESIDE, WORLDS
from tests.diagnosis.wording import ALL

# Of the AWS CLI itself, not of an operation.
GLOBAL = {"region", "query", "output", "profile"}
# What the instance cannot know of the other side.
UNKNOWN_HERE = {
    "ENDPOINT_SECURITY_GROUP", "ENDPOINT_ID", "PROFILE_WITH_ROLE", "PROFILE", "ROLE", "VOLUME_ID",
    "SIZE_IN_GIB", "SERVICE_CONTROL_POLICY",
}  # fmt: skip
NO_FAULTS = ("healthy", "partial", "not-ec2", "could-not-tell")


def causes_of(code: str) -> list[Cause]:
    world = WORLDS.get(code) or BESIDE[code]
    verdict, causes = diagnose(world, complete=code != "partial")
    return [verdict, *causes[1:]]


def commands(cause: Cause) -> Iterator[str]:
    for line in cause.remedy:
        found = re.search(r"(?:^|: )(aws .*)$", line)
        if found:
            yield found[1]


ALL_COMMANDS = sorted(
    {c for world in ALL.values() for x in diagnose(world)[1] for c in commands(x)}
)
# Where the instance knows all that there is to know of itself.
COMMANDS = sorted({c for code in (*WORLDS, *BESIDE) for x in causes_of(code) for c in commands(x)})


@functools.cache
def model_of(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def test_every_code_of_the_catalogue_has_a_row_and_a_world() -> None:
    assert set(ROWS) == set(CODES) == set(WORLDS) | set(BESIDE)


@pytest.mark.parametrize("code", WORLDS)
def test_its_world_has_that_verdict_alone(code: str) -> None:
    assert [cause.code for cause in causes_of(code)] == [code]


def test_a_latent_failure_stands_beside_its_cause() -> None:
    assert [c.code for c in causes_of("latent-failure")] == ["endpoint-blocked", "latent-failure"]
    assert [c.code for c in causes_of("partial")] == ["partial"]


@pytest.mark.parametrize(
    "code", [c for c in CODES if c not in NO_FAULTS and not c.startswith("image-")]
)
def test_a_remedy_names_the_consoles_step_and_a_command(code: str) -> None:
    cause = next(c for c in causes_of(code) if c.code == code)
    text = "\n".join(cause.remedy)
    assert "console:" in text, text
    if code != "latent-failure":  # whose fix is that of the cause beside it
        assert list(commands(cause)), text


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_a_command_is_one_that_the_aws_cli_knows(command: str) -> None:
    """Service, operation and parameters are in botocore's models, which the AWS CLI is made of."""
    words = shlex.split(command)
    assert words[0] == "aws"
    model = model_of(words[1])
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[words[2]]).input_shape
    members = {xform_name(name, "-"): (name, s) for name, s in shape.members.items()}
    given = set()
    rest = words[3:]
    while rest:
        option = rest.pop(0)
        assert option.startswith("--"), command
        name = option[2:]
        values = []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        if name in GLOBAL:
            assert len(values) == 1
            continue
        bare = name[3:] if name.startswith("no-") and name not in members else name
        assert bare in members, f"{option} is no parameter of {words[1]} {words[2]}"
        member, kind = members[bare]
        given.add(member)
        _check_values(kind, values, command)
    assert set(shape.required_members) <= given, f"{command} lacks a required parameter"


def _check_values(shape: Any, values: list[str], command: str) -> None:
    """As the AWS CLI takes them: shorthand for structures, words for lists."""
    if shape.type_name == "boolean":
        assert values == [], command
    elif shape.type_name == "list":
        assert values, command
        for value in values:
            _check_value(shape.member, value, command)
    else:
        assert len(values) == 1, command
        _check_value(shape, values[0], command)


def _check_value(shape: Any, value: str, command: str) -> None:
    if shape.type_name == "structure":
        # A=x,B=y,C=[{D=z}]: what stands in brackets is of the member's own kind.
        for key, inner in re.findall(r"(\w+)=(\[\{.*?\}\]|\[[^\]]*\]|[^,]*)", value):
            assert key in shape.members, f"{key} in {command}"
            member = shape.members[key]
            if inner.startswith("[{"):
                _check_value(member.member, inner[2:-2], command)
    elif shape.type_name == "integer":
        assert value.isdigit() or value in UNKNOWN_HERE, command
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum, f"{value} in {command}"


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_instance_knows_of_itself_is_filled_in(command: str) -> None:
    """Words in capitals stand only for what can be known on the other side alone."""
    left = set(re.findall(r"\b[A-Z][A-Z_]{3,}\b", command.replace("file://KEY.pub", "")))
    if "us-east-1" not in command:
        left -= {"REGION"}  # IMDS is silent: DMI still gives the instance's id
        assert "INSTANCE_ID" not in left
    assert left <= UNKNOWN_HERE, command


@pytest.mark.parametrize("code", CODES)
def test_explain_says_what_the_console_shows_meanwhile(code: str) -> None:
    """So that an operator who searches by the console's words finds the code."""
    explain = ROWS[code].explain
    for text in (explain.meaning, explain.told_by, explain.fix, explain.mistaken_for):
        assert len(text) > 5, code
    failing = [c for c in causes_of(code) if c.code == code and c.status == FAIL]
    if failing and code != "latent-failure" and not code.startswith("image-"):
        assert "SSM Agent is not online" in explain.console
    named = re.findall(r"\b[a-z0-9]+(?:-[a-z0-9]+)+\b", explain.mistaken_for)
    for word in named:
        if word.split("-")[0] in {c.split("-")[0] for c in CODES} and word not in CODES:
            raise AssertionError(f"{code}: {word} is no code")
