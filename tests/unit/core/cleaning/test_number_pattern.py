"""A licence number may be written in full width, and so may the pattern it is judged by."""

from datetime import date

import pytest

from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord
from core.cleaning import compile_rules

FULL, HALF = "（琼）船捕（2026）HY-200123号", "(琼)船捕(2026)HY-200123号"


def found(pattern: str, number: str) -> list[tuple[str, str]]:
    cleaner = compile_rules(
        LicenceType(code="1" * 21, name={}, number_pattern=pattern, required=("licence_number",))
    )
    record = LicenceRecord(licence_type="1" * 21, licence_number=number)
    faults = cleaner.clean(record, today=date(2026, 11, 24)).faults
    assert all(
        pattern in fault.message and pattern in fault.message_zh
        for fault in faults
        if fault.rule == "licence-number.pattern"
    )
    return [(fault.rule, fault.pointer) for fault in faults]


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        (r"（[^）]+）船捕（\d{4}）[A-Z]{2}-\d{6}号", FULL),
        (r"\([^)]+\)船捕\(\d{4}\)[A-Z]{2}-\d{6}号", FULL),
        (r"\([^)]+\)船捕\(\d{4}\)[A-Z]{2}-\d{6}号", HALF),
        (r"[A-Z]{2}[0-9]{4}", "ＪＹ１２３４"),
    ],
)
def test_a_number_fits_as_it_is_written_or_in_half_width(pattern: str, number: str) -> None:
    assert found(pattern, number) == []


def test_a_number_that_fits_neither_way_is_told_with_the_pattern() -> None:
    assert found(r"（[^）]+）船捕（\d{4}）\d{6}号", HALF) == [("licence-number.pattern", "/licence_number")]
