import logging

import pytest

from core.duty import Duty
from core.errors import InternalError, Unavailable


def rounds(duty: Duty, *outcomes: Exception | None) -> None:
    """A round each: it fails with the error, or is well."""
    for outcome in outcomes:
        with duty:
            if outcome is not None:
                raise outcome


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(entry.levelname, entry.message) for entry in caplog.records]


def test_a_failure_is_told_when_it_begins_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rounds(Duty("polling"), None, Unavailable("away"), Unavailable("still away"), None, None)
    assert told(caplog) == [("WARNING", "polling waits: away"), ("INFO", "polling goes on")]


def test_a_defect_behind_an_outage_is_told_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    rounds(Duty("polling"), Unavailable("away"), InternalError("refused"), InternalError("refused"))
    assert [level for level, _message in told(caplog)] == ["WARNING", "ERROR"]
    assert "InternalError: refused" in caplog.text


def test_who_ends_the_process_is_not_held_up() -> None:
    with pytest.raises(KeyboardInterrupt), Duty("polling"):
        raise KeyboardInterrupt
