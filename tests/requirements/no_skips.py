"""pytest plugin that `dev test` loads in CI: a test that skipped itself fails the run.

Elsewhere a skip is a courtesy to a machine that lacks something. In CI it would be a hole in what
a green run stands for.
"""

from typing import Any

import pytest


def _skipped(config: Any) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", []))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says why the run fails though no test did; the reasons stand above it (`-ra`)."""
    if _skipped(terminalreporter.config):
        terminalreporter.write_line("in CI a skipped test is a failure", red=True)


def pytest_sessionfinish(session: Any) -> None:
    """Only the process that reports has the counts: workers of xdist have no reporter to ask."""
    if hasattr(session.config, "workerinput"):
        return
    if session.exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
