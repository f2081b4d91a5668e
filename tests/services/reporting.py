"""How a test run is arranged and told: what runs alone, which warnings of others are excused, what was left out and why."""

from collections import Counter
from collections.abc import Iterable

import pytest

MISSING_SERVICE = "missing service: "
_SERVICE_FIXTURES = {"shared_broker", "postgres_url", "_own_broker", "_own_postgres"}
_ALONE = ("external", "faults", "slow", "soak")

# Every other warning is an error. A line here names the distribution that warns and why it does not concern us.
EXCUSED_WARNINGS: tuple[str, ...] = (
    # A process forked by a test runner with threads; the product itself spawns.
    "ignore:This process .* is multi-threaded, use of fork:DeprecationWarning",
)


def pytest_configure(config: pytest.Config) -> None:
    """Excuse the warnings that others owe us."""
    for line in EXCUSED_WARNINGS:
        config.addinivalue_line("filterwarnings", line)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a service or lies in tests/faults; all that must run alone is one group and stays on one process."""
    for item in items:
        if _SERVICE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("external")
        if "faults" in item.path.parts:
            item.add_marker("faults")
        if any(item.get_closest_marker(name) for name in _ALONE):
            item.add_marker(pytest.mark.xdist_group("alone"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how many tests did not run because a service was missing."""
    missing = missing_services(terminalreporter.stats.get("skipped", ()))
    if missing:
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
        for why, number in sorted(missing.items()):
            terminalreporter.write_line(
                f"{number} tests skipped, {MISSING_SERVICE}{why}", red=True, bold=True
            )


def missing_services(skipped: Iterable[pytest.TestReport]) -> Counter[str]:
    """How many of the skipped tests missed which service."""
    reasons = (report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple))
    return Counter(reason.partition(MISSING_SERVICE)[2] for reason in reasons if MISSING_SERVICE in reason)
