"""The note on fleets: its figures are computed here, from the settings and a simulated schedule.

`python -m tests.packaging.test_fleet` prints the tables of packaging/fleet.md.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from agentcheck.daemon import schedule
from agentcheck.daemon.watch import Watch
from agentcheck.diagnosis import HEALTHY
from agentcheck.model import FAIL, Cause, Report
from agentcheck.probes import imds, permission_memory
from agentcheck.settings import SETTINGS
from agentcheck.verbs.run import ASK_AGAIN
from tests.vpc import Vpc, default_command

NOTE = Path(__file__).resolve().parents[2] / "packaging/fleet.md"
INSTANCES = 10_000
DAY_S = 86_400
VALUES = {(s.section, s.key): s.kind.parse(s.default) for s in SETTINGS}
TIMING = schedule.Timing(VALUES["daemon", "interval"], VALUES["daemon", "jitter"])
CONFIRM = VALUES["daemon", "confirm"]
# Seconds of a round: nearly nothing in health, the connect time-out where packets are dropped.
QUICK_S = 0.3
BLACK_HOLE_S = VALUES["run", "connect_timeout"] + 0.1

# What a round of a healthy instance sends, with a current agent (ssm and ssmmessages) and endpoints
# in two zones; `test_a_round_sends_what_the_note_counts` sees to it.
SERVICES, ZONES = 2, 2
CONNECTIONS = SERVICES * ZONES
QUERIES = SERVICES * 2 * 2  # A and AAAA, by the system and by ourselves
METADATA = 24
# Of an instance: those of a round on a booted machine and of the daemon, and Prometheus' own five.
SERIES = 70 + 5
SCRAPE_BYTES = 5_300
SCRAPE_S = 60


def report(verdict: Cause) -> Report:
    """As much of a round as the daemon's memory looks at."""
    return Report(
        "", "", "", 0.0, "timer", "instance", True, verdict, (verdict,), (), (), {}, {}, ()
    )


GOOD, BAD = report(HEALTHY), report(Cause("endpoint-blocked", FAIL, "", (), (), ("ssm",)))


@dataclass(frozen=True)
class Story:
    """`start`: of all daemons; from `broken` to `mended` (seconds) every round fails."""

    end: float
    broken: float = math.inf
    mended: float = math.inf
    steady: bool = False  # they were started at other times, and have long been confirmed


def rounds(story: Story, seed: int = 1) -> Iterator[float]:
    """When each round of the fleet begins, by the daemon's own schedule and confirmation."""
    dice = random.Random(seed)
    for _ in range(INSTANCES):
        watch = Watch(CONFIRM, ())
        for _ in range(CONFIRM if story.steady else 0):
            watch.see(GOOD, 0, False)
        identity = f"i-{dice.getrandbits(68):017x}"
        now = schedule.spread(identity, TIMING)
        if story.steady:
            now = dice.random() * TIMING.interval_s
        while now < story.end:
            yield now
            fails = story.broken <= now < story.mended
            watch.see(BAD if fails else GOOD, now, False)
            now += BLACK_HOLE_S if fails else QUICK_S
            # As loop.Daemon does after each round.
            now += schedule.pause(TIMING, watch.doubtful, watch.bad_rounds, dice.random)


@dataclass(frozen=True)
class Load:
    """Rounds a second: the mean and the busiest second of a stretch of time."""

    mean: float
    peak: int
    peak_at: int


def load(begun: Sequence[float], start: int, end: int) -> Load:
    seconds = Counter(int(moment) for moment in begun if start <= moment < end)
    # The earliest of the busiest seconds.
    peak_at = min(seconds, key=lambda second: (-seconds[second], second))
    return Load(sum(seconds.values()) / (end - start), seconds[peak_at], peak_at)


@cache
def loads() -> dict[str, Load]:
    """The stories of the note."""
    together = list(rounds(Story(4 * 3600)))
    outage = list(rounds(Story(3 * 3600, 3600, 5400, steady=True)))
    return {
        "all start at once: the first minute": load(together, 0, 60),
        "from then to the tenth minute": load(together, 60, 600),
        "the fourth hour": load(together, 3 * 3600, 4 * 3600),
        "any hour, started at any time": load(outage, 0, 3600),
        "an outage of 30 minutes: its first 5": load(outage, 3600, 3900),
        "its last 5": load(outage, 5100, 5400),
        "the 5 minutes after its end": load(outage, 5400, 5700),
    }


@cache
def signed_peak() -> int:
    """The busiest second of the signed calls a day after all instances started at once."""
    dice = random.Random(2)
    seconds: Counter[int] = Counter()
    for _ in range(INSTANCES):
        asked = now = schedule.spread(f"i-{dice.getrandbits(68):017x}", TIMING)
        now += QUICK_S + schedule.pause(TIMING, 1, 0, dice.random)
        while now - asked < permission_memory.GOOD_FOR_S:
            now += QUICK_S + schedule.pause(TIMING, 0, 0, dice.random)
        seconds[int(now)] += 1
    return max(seconds.values())


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in lines)


def schedule_table() -> str:
    steady = INSTANCES / TIMING.interval_s
    rows = [
        [
            name,
            number(found.mean),
            f"{found.peak:,}",
            f"{found.peak * ZONES:,}",
            f"{found.peak / steady:.1f}",
        ]
        for name, found in loads().items()
    ]
    head = [
        "rounds a second",
        "mean",
        "busiest second",
        "connections then to a service",
        "times the steady mean",
    ]
    return table(head, rows)


def load_table() -> str:
    steady = INSTANCES / TIMING.interval_s
    day = INSTANCES * DAY_S / TIMING.interval_s
    zone = steady * SERVICES
    rows = [
        ["rounds", f"{number(steady)} a second", f"{INSTANCES:,} / {TIMING.interval_s:g} s"],
        ["rounds a day", f"{day:,.0f}", f"{DAY_S / TIMING.interval_s:g} of each instance"],
        [
            "TLS connections to the endpoints",
            f"{number(steady * CONNECTIONS)} a second",
            f"{SERVICES} services x {ZONES} zones, of every round",
        ],
        [
            "of these to one address",
            f"{number(steady)} a second",
            f"{ZONES} zones have {number(zone)} a second each, {SERVICES} services",
        ],
        [
            "DNS queries",
            f"{number(steady * QUERIES)} a second",
            f"{QUERIES} of every round; of one instance {QUERIES} in {TIMING.interval_s:g} s",
        ],
        [
            "IMDS requests",
            f"{METADATA} of every round",
            "never leave the host: no sum over the fleet matters",
        ],
    ]
    return table(["what", "how much", "from"], rows)


def signed_table() -> str:
    healthy = DAY_S / permission_memory.GOOD_FOR_S
    trouble = DAY_S / permission_memory.TROUBLE_GOOD_FOR_S
    worst = DAY_S / permission_memory.AT_MOST_EVERY_S
    rows = [
        [name, f"{each:g}", f"{each * INSTANCES:,.0f}", number(each * INSTANCES / DAY_S)]
        for name, each in (
            ("in health", healthy),
            ("the call is refused, on every instance", trouble),
            ("and the agent logs new refusals all the time, on every instance", worst),
            ("`signed_call = never`", 0.0),
        )
    ]
    head = [
        "signed calls, each an event in CloudTrail",
        "an instance and day",
        "the fleet and day",
        "the fleet and second",
    ]
    return table(head, rows)


def metrics_table() -> str:
    rows = [
        ["series", f"{INSTANCES * SERIES:,}", f"{SERIES} of each instance"],
        [
            "samples a second",
            f"{INSTANCES * SERIES / SCRAPE_S:,.0f}",
            f"a scrape every {SCRAPE_S} s",
        ],
        [
            "scrapes a second",
            number(INSTANCES / SCRAPE_S),
            "each reads what is there, and probes nothing",
        ],
        [
            "bytes a second, uncompressed",
            f"{INSTANCES * SCRAPE_BYTES / SCRAPE_S / 1e6:.1f} MB",
            f"{SCRAPE_BYTES / 1000:g} kB a scrape",
        ],
    ]
    return table(["Prometheus", "how much", "from"], rows)


def tables() -> dict[str, str]:
    return {
        "load": load_table(),
        "schedule": schedule_table(),
        "signed": signed_table(),
        "metrics": metrics_table(),
    }


@pytest.mark.parametrize("name", ["load", "schedule", "signed", "metrics"])
def test_the_note_has_the_figures_that_are_computed_here(name: str) -> None:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", NOTE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    assert found[1].strip() + "\n" == tables()[name]


def test_figures_in_the_text_are_those_of_the_tables() -> None:
    text = " ".join(NOTE.read_text("utf-8").split())
    stale = schedule.stale_after(TIMING, VALUES["run", "deadline"])
    first = loads()["all start at once: the first minute"]
    spread = min(TIMING.jitter * TIMING.interval_s, schedule.LONGEST_SPREAD_S)
    for words in (
        f"first round within {spread:g} s",
        f"second one {schedule.SOON_S:g} s later",
        f"{first.peak:,} rounds in the busiest second",
        f"looked at again after {schedule.SOON_S:g} s",
        f"kept for {permission_memory.GOOD_FOR_S / 3600:g} hours",
        f"a refusal for {permission_memory.TROUBLE_GOOD_FOR_S / 60:g} minutes",
        f"most every {permission_memory.AT_MOST_EVERY_S / 60:g} minutes",
        f"{INSTANCES / spread:.0f} a second for {spread:g} s",
        f"at most {signed_peak()} a second",
        f"at most {'once a minute' if ASK_AGAIN == 60 else ASK_AGAIN}",
        f"makes {300 / ASK_AGAIN:.0f} events in the five",
        f"beyond {stale:g} s",
    ):
        assert words in text, words


def test_the_fleet_spreads_out_by_itself() -> None:
    """Instances that started together probe at other times in the end."""
    steady = INSTANCES / TIMING.interval_s
    hour = loads()["the fourth hour"]
    assert hour.mean == pytest.approx(steady, rel=0.02)
    # By chance alone a second has 33 rounds and not often twice as many.
    assert loads()["any hour, started at any time"].peak < 2 * steady + 5
    assert hour.peak < 5 * steady


def test_neither_an_outage_nor_its_end_makes_a_herd() -> None:
    steady = INSTANCES / TIMING.interval_s
    for name in ("an outage of 30 minutes: its first 5", "its last 5"):
        assert loads()[name].peak < 7 * steady
    assert loads()["the 5 minutes after its end"].peak < 3 * steady


def test_metadata_requests_are_those_of_the_probe() -> None:
    waves = len(imds.FIRST_WAVE) + len(imds.OF_THE_INTERFACE)
    assert 1 + waves + 1 == METADATA  # the token, and the role's credentials


@pytest.mark.vpc
def test_a_round_sends_what_the_note_counts() -> None:
    with Vpc("healthy") as vpc:
        text = vpc.run(default_command(vpc.scenario, "--format", "prometheus")).stdout
        events = [json.loads(event) for event in vpc.served]
    assert sum(event["server"] == "imds" for event in events) == METADATA
    assert sum(event["server"] == "dns" for event in events) == QUERIES
    tls = [event for event in events if event["server"] == "tls"]
    signed = [event for event in tls if event.get("signed")]
    assert len(signed) == 1  # by hand always, in the daemon once a day
    assert sum("version" in event for event in tls) == CONNECTIONS + len(signed)
    series = [line for line in text.splitlines() if not line.startswith("#")]
    # A booted machine also has agent.enabled (two series), the daemon agentcheck_runs_total (five).
    assert len(series) + 2 + 5 + 5 == SERIES
    assert len(text) < SCRAPE_BYTES < len(text) + 1000


if __name__ == "__main__":
    for name, text in tables().items():
        print(f"<!-- {name} -->\n{text}<!-- end -->\n")
    print(f"signed calls, busiest second a day later: {signed_peak()}")
