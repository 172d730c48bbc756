"""The runner: requirements, skips, one deadline, and errors that stay with their check."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from agentcheck import runner
from agentcheck.checks import Check, Finding, discover
from agentcheck.model import ERROR, FAIL, OK, SKIP, WARN
from agentcheck.observations import Facts

FACTS = cast(Facts, object())


def check(
    name: str,
    answer: Callable[[Facts], Finding],
    requires: Sequence[str] = (),
    after: Sequence[str] = (),
) -> Check:
    return Check(name, f"Is it {name}?", requires, after, ("instance",), answer, name)


def says(status: str, **more: Any) -> Callable[[Facts], Finding]:
    return lambda facts: Finding(status, f"it is {status}", **more)


def test_results_come_in_the_order_of_the_checks() -> None:
    slow_first = [
        check("a", lambda facts: (time.sleep(0.05), Finding(OK, "a"))[1]),
        check("b", says(OK)),
    ]
    assert [result.id for result in runner.run(slow_first, FACTS, 5)] == ["a", "b"]


def test_what_requires_a_failure_is_skipped_and_names_its_root() -> None:
    checks = [
        check("a", says(FAIL)),
        check("b", says(OK), ["a"]),
        check("c", says(OK), ["b"]),
        check("d", says(OK)),
    ]
    results = {result.id: result for result in runner.run(checks, FACTS, 5)}
    assert (results["b"].status, results["b"].caused_by) == (SKIP, "a")
    assert (results["c"].status, results["c"].caused_by) == (SKIP, "a")
    assert results["d"].status == OK


@pytest.mark.parametrize(("blocks", "expected"), [(False, OK), (True, SKIP)])
def test_a_warning_blocks_only_when_it_says_so(blocks: bool, expected: str) -> None:
    checks = [check("a", says(WARN, blocks=blocks)), check("b", says(OK), ["a"])]
    assert runner.run(checks, FACTS, 5)[1].status == expected


def test_a_check_that_was_not_needed_passes_its_reason_on() -> None:
    checks = [check("a", says(SKIP, reason="not-needed")), check("b", says(OK), ["a"])]
    skipped = runner.run(checks, FACTS, 5)[1]
    assert (skipped.status, skipped.reason, skipped.caused_by) == (SKIP, "not-needed", None)


def test_an_exception_is_an_error_of_its_check_alone_and_its_text_stays_inside() -> None:
    def broken(facts: Facts) -> Finding:
        raise ValueError("secret")

    results = runner.run([check("a", broken), check("b", says(OK))], FACTS, 5)
    assert [result.status for result in results] == [ERROR, OK]
    assert "secret" not in results[0].summary


def test_the_deadline_holds_though_a_check_is_stuck() -> None:
    stuck = threading.Event()
    checks = [
        check("a", lambda facts: (stuck.wait(30), Finding(OK, "late"))[1]),
        check("b", says(OK), ["a"]),
        check("c", says(OK)),
    ]
    begun = time.monotonic()
    results = {result.id: result for result in runner.run(checks, FACTS, 0.3)}
    stuck.set()
    assert time.monotonic() - begun < 5
    assert results["a"].reason == results["b"].reason == "deadline"
    assert results["c"].status == OK


def test_after_waits_for_every_check_of_a_family_whatever_its_result() -> None:
    order: list[str] = []

    def noted(name: str, status: str) -> Callable[[Facts], Finding]:
        def answer(facts: Facts) -> Finding:
            time.sleep(0.02)
            order.append(name)
            return Finding(status, name)

        return answer

    checks = [check("a", noted("a", FAIL)), check("z", noted("z", OK), after=["a"])]
    assert runner.run(checks, FACTS, 5)[1].status == OK
    assert order == ["a", "z"]


def test_every_file_of_checks_is_found_and_requirements_come_first() -> None:
    found = discover(["s3"])
    ids = [entry.id for entry in found]
    assert {"imds", "role", "tls.ssm", "dns.s3", "agent.version", "clock"} <= set(ids)
    assert len(ids) == len(set(ids))
    for entry in found:
        assert all(ids.index(required) < ids.index(entry.id) for required in entry.requires)
