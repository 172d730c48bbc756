"""Reports of the command in the simulated VPC, as the tests read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

import agentcheck
from tests.vpc import CANARIES, Outcome, Vpc, default_command

SCHEMA = json.loads((Path(agentcheck.__file__).parent / "report.schema.json").read_text())


def parse(outcome: Outcome) -> dict[str, Any]:
    """The JSON report, valid by the schema, with an exit status that is its own."""
    assert outcome.stdout, outcome
    report: dict[str, Any] = json.loads(outcome.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["status"] == report["verdict"]["status"]
    if report["causes"]:
        assert report["verdict"] == report["causes"][0]
    return report


def report_of(vpc: Vpc, *arguments: str, timeout: float = 30) -> dict[str, Any]:
    """One round in the VPC as JSON."""
    command = default_command(vpc.scenario, "--format", "json", *arguments)
    return parse(vpc.run(command, timeout))


def assert_no_secret(outcome: Outcome) -> None:
    """No canary in any byte of what was printed."""
    for name, secret in CANARIES.items():
        assert secret not in outcome.stdout + outcome.stderr, name
