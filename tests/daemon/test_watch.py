"""What is pending, confirmed and news; how often rounds come; how much is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcheck.daemon import schedule
from agentcheck.daemon.allowance import Allowance
from agentcheck.daemon.confirmation import Confirmation
from agentcheck.daemon.watch import Watch, lost, moment
from agentcheck.model import FAIL, OK, PENDING, SKIP, UNKNOWN, Cause, HistoryEntry, Result
from agentcheck.render.json import read
from agentcheck.verbs.history import epoch
from tests.render.test_json import REPORT

HEALTHY = replace(REPORT, verdict=Cause("healthy", OK, "Fine."), causes=(), checks=())
BROKEN = replace(REPORT, checks=())
TIMING = schedule.Timing(300.0, 0.1)


def see(watch: Watch, *reports: object, booting: bool = False) -> list[Optional[str]]:
    """The confirmed change of each round, as `before>after`."""
    told: list[Optional[str]] = []
    for number, report in enumerate(reports):
        _, news = watch.see(report, 1000.0 + number, booting)  # type: ignore[arg-type]
        change = news.whole
        before = change.previous[0] if change and change.previous else "-"
        told.append(f"{before}>{change.value[0]}" if change else None)
    return told


def test_a_change_is_told_once_it_was_seen_twice_both_ways() -> None:
    watch = Watch(2, [])
    assert see(watch, HEALTHY, HEALTHY, BROKEN, HEALTHY, BROKEN, BROKEN, HEALTHY, HEALTHY) == [
        None,
        "->ok",
        None,
        None,
        None,
        "ok>fail",
        None,
        "fail>ok",
    ]
    assert [entry.status for entry in watch.history] == [OK, FAIL, OK]


def test_a_change_dates_from_when_it_was_first_seen() -> None:
    watch = Watch(3, [])
    see(watch, BROKEN, BROKEN, BROKEN)
    assert watch.history[0].time == moment(1000.0)
    assert watch.live().confirmed_since == moment(1000.0)


def test_nothing_is_confirmed_before_so_many_rounds_have_agreed() -> None:
    watch = Watch(2, [])
    assert watch.live().confirmed_status == PENDING
    see(watch, HEALTHY)
    assert (watch.live().confirmed_status, watch.doubtful) == (PENDING, 1)
    see(watch, HEALTHY)
    assert (watch.live().confirmed_status, watch.doubtful) == (OK, 0)


def test_after_a_restart_the_same_state_is_no_news_and_keeps_its_date() -> None:
    known = HistoryEntry("2026-01-01T00:00:00Z", FAIL, OK, "role-missing", ["ssm"], "x")
    watch = Watch(2, [known])
    assert see(watch, BROKEN, BROKEN) == [None, None]
    assert watch.live().confirmed_since == "2026-01-01T00:00:00Z"
    assert len(watch.history) == 1
    watch = Watch(2, [known])
    assert see(watch, HEALTHY, HEALTHY) == [None, "fail>ok"]
    assert watch.history[-1].previous == FAIL


def test_trouble_at_boot_is_pending_until_it_was_once_good() -> None:
    watch = Watch(1, [])
    report, news = watch.see(BROKEN, 1.0, True)
    assert (report.status, report.verdict.code) == (PENDING, "role-missing")
    assert report.causes[0] == report.verdict
    assert (news.whole, watch.history) == (None, [])
    watch.see(HEALTHY, 2.0, True)
    report, _ = watch.see(BROKEN, 3.0, True)
    assert report.status == FAIL


def test_trouble_during_an_update_of_the_agent_is_pending() -> None:
    updating = Cause("could-not-tell", UNKNOWN, "x", reason="agent-updating")
    report, _ = Watch(1, []).see(replace(BROKEN, verdict=updating, causes=(updating,)), 1.0, False)
    assert report.status == PENDING


def check(status: str, name: str = "tcp.ssm") -> object:
    return replace(HEALTHY, checks=(Result(name, status, "text"),))


def test_checks_are_told_too_but_neither_their_first_good_result_nor_a_skip() -> None:
    watch = Watch(2, [])
    told = []
    for status in (OK, OK, SKIP, FAIL, SKIP, FAIL, OK, OK):
        _, news = watch.see(check(status), 1.0, False)  # type: ignore[arg-type]
        told.append([(result.id, before, result.status) for result, before in news.checks])
    assert told == [[], [], [], [], [], [("tcp.ssm", OK, FAIL)], [], [("tcp.ssm", FAIL, OK)]]


def test_a_lost_round_is_a_report_that_can_be_read_by_all() -> None:
    from agentcheck.render.json import document

    made = lost(REPORT, "0.1.0", "id", 0.0, "was killed")
    assert (made.status, made.verdict.reason) == (UNKNOWN, "round-lost")
    assert document(read(document(made))) == document(made)
    assert made.instance == REPORT.instance


def test_the_history_is_bounded() -> None:
    watch = Watch(1, [])
    see(watch, *([HEALTHY, BROKEN] * 20))
    watch.trim(7)
    assert len(watch.history) == 7
    assert watch.live().history[0].status == FAIL  # newest first


@pytest.mark.parametrize(
    ("doubtful", "bad", "expected"),
    [
        (1, 0, 15),
        (1, 1, 15),
        (1, 9, 15),  # a trouble that turns into another one is looked at again soon
        (0, 0, 300),
        (0, 1, 15),
        (0, 2, 30),
        (0, 3, 60),
        (0, 5, 240),
        (0, 6, 300),
        (0, 1000, 300),
        (100, 0, 300),  # what changes for ever is no hurry
    ],
)
def test_after_trouble_rounds_come_sooner_then_ever_more_rarely(
    doubtful: int, bad: int, expected: float
) -> None:
    assert schedule.pause(TIMING, doubtful, bad, lambda: 0.5) == expected


def test_a_short_interval_is_never_exceeded() -> None:
    quick = schedule.Timing(5.0, 0.1)
    for doubtful in (0, 1):
        for bad in range(8):
            assert schedule.pause(quick, doubtful, bad, lambda: 1.0) <= 5.5


def test_a_fleet_that_starts_at_once_spreads_its_first_rounds() -> None:
    """The same instance waits the same time; all of them fill the span evenly."""
    waits = [schedule.spread(f"i-{number:017x}", TIMING) for number in range(3000)]
    assert waits[5] == schedule.spread(f"i-{5:017x}", TIMING)
    assert 0 <= min(waits) < 1
    assert 29 < max(waits) < 30
    thirds = [sum(low <= wait < low + 10 for wait in waits) for low in (0, 10, 20)]
    assert min(thirds) > 900


@given(st.floats(0, 1))
def test_the_interval_varies_within_its_jitter(roll: float) -> None:
    assert 270 <= schedule.pause(TIMING, 0, 0, lambda: roll) <= 330


def test_what_may_be_said_is_bounded_and_confesses_what_it_kept_back() -> None:
    allowance = Allowance(0.0, burst=3, every_s=10.0)
    assert [allowance.take(0.0) for _ in range(5)] == [True, True, True, False, False]
    assert allowance.confess() == 2
    assert allowance.take(10.0)
    assert not allowance.take(10.0)


def test_a_confirmation_forgets_what_was_not_seen_in_a_row() -> None:
    seen: Confirmation[str] = Confirmation(2, lambda value: value)
    assert [seen.see(value, 1.0) is not None for value in "abab"] == [False] * 4
    assert seen.value is None


def test_failures_that_take_turns_agree_that_it_fails() -> None:
    """Else a service that flaps between two failures would stay green for ever."""
    watch = Watch(2, [])
    other = replace(BROKEN, verdict=Cause("endpoint-blocked", FAIL, "x"), causes=())
    unknown = replace(BROKEN, verdict=Cause("could-not-tell", UNKNOWN, "x"), causes=())
    assert see(watch, HEALTHY, HEALTHY, BROKEN, other)[-1] == "ok>fail"
    watch = Watch(2, [])
    assert see(watch, HEALTHY, HEALTHY, BROKEN, unknown)[-1] == "ok>unknown"


def test_moments_are_read_back() -> None:
    assert epoch(moment(1_800_000_000.0)) == 1_800_000_000.0
    assert epoch("nonsense") == 0.0
