"""Each way of writing a date, in a table; and what is refused."""

from datetime import UTC, date, datetime

import pytest

from contracts.dates import LONG_TERM, DateFormat, date_fault, parse_date

DAY = date(2021, 5, 1)
US, EXCEL, EPOCH = (DateFormat.US,), (DateFormat.EXCEL,), (DateFormat.EPOCH_MS,)


@pytest.mark.parametrize(
    "text",
    [
        "2021-05-01", "2021-5-1", "2021/05/01", "2021/5/1", "20210501", "2021年5月1日", "2021 年 05 月 01 日", "2021.05.01",
        "2021-05-01 08:30:00", "2021-05-01T08:30", "2021-05-01T08:30:00.123", "2021/5/1 23:59:59", " 2021-05-01 ",
        "２０２１－０５－０１", "2021-04-30T16:00:00Z",
        "2021-04-30T12:00:00-04:00", "2021-05-01T00:00:00+08:00", "20210501 08:30:00", "2021/05/01 8:30:00 AM",
    ],
)  # fmt: skip
def test_an_unambiguous_date_is_read_without_being_declared(text: str) -> None:
    assert parse_date(text) == DAY
    assert date_fault(text) is None


@pytest.mark.parametrize(
    ("value", "formats"),
    [
        ("05/01/2021", US), ("5/1/2021", US), ("05/01/2021 12:00:00 AM", US), ("05/01/2021 11:59:59 PM", US),
        ("01/05/2021", (DateFormat.DAY_FIRST,)), ("44317", EXCEL), (44317, EXCEL), (44317.75, EXCEL), ("44317.0", EXCEL),
        ("1619798400000", EPOCH), (1619798400000, EPOCH), (1619884799999, EPOCH),
    ],
)  # fmt: skip
def test_an_ambiguous_date_is_read_only_when_declared(
    value: str | float, formats: tuple[DateFormat, ...]
) -> None:
    assert parse_date(value, formats) == DAY
    assert parse_date(value) is None
    fault = date_fault(value, pointer="/XK_JDRQ")
    assert fault is not None
    assert (fault.rule, fault.pointer) == ("date.format", "/XK_JDRQ")
    assert "YYYY-MM-DD" in fault.message
    assert "YYYY-MM-DD" in fault.message_zh


@pytest.mark.parametrize(
    "text",
    [
        "长期",
        "长期有效",
        "永久",
        " 长期 ",
        "long term",
        "2099-12-31",
        "2099/12/31",
        "2099年12月31日",
        "9999-12-31",
        "20991231",
        "99991231",
    ],
)
def test_no_end_is_read_as_long_term(text: str) -> None:
    assert parse_date(text) is LONG_TERM


def test_objects_and_digits_are_taken_as_they_stand() -> None:
    assert parse_date(DAY) == DAY
    assert parse_date(datetime(2021, 5, 1, 23, 0)) == DAY  # noqa: DTZ001  # a spreadsheet cell has no zone
    assert parse_date(datetime(2021, 4, 30, 16, 0, tzinfo=UTC)) == DAY
    assert parse_date(20210501) == DAY
    assert parse_date(date(9999, 12, 31)) is LONG_TERM


@pytest.mark.parametrize(
    ("value", "formats", "rule"),
    [
        ("2021-02-30", (), "date.does-not-exist"),
        ("2021/2/29", (), "date.does-not-exist"),
        ("20211301", (), "date.does-not-exist"),
        ("2021年13月1日", (), "date.does-not-exist"),
        ("0000-01-01", (), "date.does-not-exist"),
        ("13/01/2021", US, "date.does-not-exist"),
        ("2021-05-01 24:00:00", (), "date.does-not-exist"),
        ("05/01/2021 00:10:00 AM", US, "date.does-not-exist"),
        ("05/01/2021 13:00:00 PM", US, "date.does-not-exist"),
        (60, EXCEL, "date.does-not-exist"),
        ("1021-05-01", (), "date.out-of-range"),
        ("2921/05/01", (), "date.out-of-range"),
        (date(1021, 5, 1), (), "date.out-of-range"),
        ("2021-W17-6", (), "date.format"),
        ("2021-05", (), "date.format"),
        ("tomorrow", (), "date.format"),
        ("", (), "date.format"),
        ("0", EPOCH, "date.format"),
        ("-1", EXCEL, "date.format"),
        (float("nan"), (), "date.format"),
        ("9" * 15, EPOCH, "date.does-not-exist"),
    ],
)
def test_what_is_no_date_is_refused_with_its_reason(
    value: str | float | date, formats: tuple[DateFormat, ...], rule: str
) -> None:
    fault = date_fault(value, formats, "/d")
    assert parse_date(value, formats) is None
    assert fault is not None
    assert (fault.rule, fault.value) == (rule, str(value))


def test_the_declared_order_decides_between_formats_that_both_fit() -> None:
    assert parse_date("01/02/2021", (DateFormat.US, DateFormat.DAY_FIRST)) == date(2021, 1, 2)
    assert parse_date("01/02/2021", (DateFormat.DAY_FIRST, DateFormat.US)) == date(2021, 2, 1)


def test_spreadsheet_serials_skip_the_day_that_never_was() -> None:
    assert parse_date(59, EXCEL) == date(1900, 2, 28)
    assert parse_date(61, EXCEL) == date(1900, 3, 1)
    assert parse_date(1, EXCEL) == date(1900, 1, 1)


def test_eight_digits_are_a_compact_date_even_where_spreadsheet_serials_are_declared() -> None:
    assert parse_date(20210501, EXCEL) == DAY
    assert parse_date(20210501, EPOCH) == DAY
