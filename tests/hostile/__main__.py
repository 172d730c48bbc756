"""python -m tests.hostile: what a round took in each hostile world, as a table."""

from __future__ import annotations

from tests.hostile import test_all_at_once, test_endpoints, test_imds, test_names, test_proxies
from tests.hostile.measure import attack_all, wrong

WORLDS = {
    "metadata service": lambda: test_imds.CASES,
    "name servers": lambda: test_names.CASES,
    "TLS of endpoints": test_endpoints.in_tls,
    "certificates": test_endpoints.certified,
    "HTTP of endpoints": test_endpoints.inside,
    "proxies": test_proxies.cases,
    "all at once": test_all_at_once.cases,
}


def main() -> None:
    print(f"{'world':18} {'cases':>5} {'broken':>6} {'MiB':>5} {'wall s':>6} {'CPU s':>6}  longest")
    for world, make in WORLDS.items():
        cases = make()
        found = attack_all(cases)
        broken = wrong(cases, found)
        peak = max(outcome.peak_kib for outcome in found.values()) / 1024
        cpu = max(outcome.cpu_s for outcome in found.values())
        name, longest = max(found.items(), key=lambda item: item[1].wall_s)
        print(
            f"{world:18} {len(cases):5} {len(broken):6} {peak:5.1f} {longest.wall_s:6.1f}", end=""
        )
        print(f" {cpu:6.2f}  {name}")
        for case, complaints in broken.items():
            print(f"    {case}: {'; '.join(complaints)}")


if __name__ == "__main__":
    main()
