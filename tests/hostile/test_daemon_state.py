"""The daemon starts and goes on over whatever stands in the place of its files."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from subprocess import DEVNULL

import pytest

from tests.daemon.test_daemon_in_vpc import CONFIG, HISTORY, REPORT, kill, read
from tests.hostile.measure import PEAK_KIB
from tests.hostile.world import shell
from tests.vpc import Vpc

pytestmark = pytest.mark.vpc

KEPT = f"{REPORT} {HISTORY} /run/agentcheck/permission.json"
HOSTILE = {
    "pipes": "mkfifo $place",
    "10 GiB": "truncate -s 10G $place",
    # Of all JSON this takes most memory for its size; and the largest history of whole entries.
    "much": """entry='{},'
        case $place in
            *history*) entry='{"time": "t", "status": "ok", "verdict": "v", "run_id": "r",'
                entry="$entry\"services\": []}," ;;
        esac
        { echo '['; yes "$entry" | head -n 300000; echo "${entry%,}"; echo ']'; } >$place""",
}
# A report is smaller than any of these.
WRITTEN = f"""
until [ -f {REPORT} ] && [ $(stat -c %s {REPORT}) -lt 500000 ] && grep -q run_id {REPORT}; do
    sleep 0.2
done
cat /proc/$(pgrep -of '[a]gentcheck.daemon')/status"""


def _outlives(script: str) -> tuple[str, int, bool]:
    """The verdict that it then tells, its largest size in KiB, whether it ends when asked."""
    with Vpc("healthy") as vpc:
        vpc.put("/etc/agentcheck/agentcheck.conf", CONFIG)
        shell(vpc, "mkdir -p /run/agentcheck /var/lib/agentcheck")
        shell(vpc, f"for place in {KEPT}; do {script}\ndone")
        daemon = vpc.spawn(
            [sys.executable, "-m", "agentcheck", "daemon"], stdout=DEVNULL, stderr=DEVNULL
        )
        peak = int(shell(vpc, WRITTEN).partition("VmHWM:")[2].split()[0])
        verdict = (read(vpc, REPORT) or {})["verdict"]["code"]
        kill(vpc, "TERM")
        return verdict, peak, daemon.wait(10) == 0


def test_the_daemon_starts_over_any_files_and_stays_small() -> None:
    with ThreadPoolExecutor() as pool:
        ends = dict(zip(HOSTILE, pool.map(_outlives, HOSTILE.values())))
    assert {name: (end[0], end[2]) for name, end in ends.items()} == dict.fromkeys(
        HOSTILE, ("healthy", True)
    )
    assert max(peak for _, peak, _ in ends.values()) < PEAK_KIB
