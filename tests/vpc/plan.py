"""What the lab's process outside hands to the process of the VPC, as a pickle in the run folder."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from tests.vpc.scenario import Scenario

INSTANCE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of the instance, then of the VPC: the order in which their descriptors are handed out.
INSTANCE_NAMESPACES = ("mnt", "net", "pid", "uts", "ipc", "cgroup")
VPC_NAMESPACES = ("net", "user")


@dataclass(frozen=True)
class Plan:
    scenario: Scenario
    run: Path
    certificates: Path
    agent: Path
    running_agent: Optional[Path]  # what runs, when it was replaced by the above since
    init: Path
    shown: tuple[Path, ...]  # folders of this machine that the instance has too
    measured: Optional[Path]  # the folder where coverage.py writes, when it measures

    @property
    def record(self) -> Path:
        return self.run / "served"

    def write(self) -> None:
        (self.run / "plan").write_bytes(pickle.dumps(self))


def read(run: Path) -> Plan:
    plan = pickle.loads((run / "plan").read_bytes())
    assert isinstance(plan, Plan)
    return plan
