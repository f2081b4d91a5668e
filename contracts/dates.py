"""Dates as departments write them: a closed list of formats, strict about days that do not exist.

The declared formats are tried first, in their order; then the formats that cannot be mistaken for another. Ambiguous ones
(US order, bare numbers) are tried only when declared.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Final

from contracts.fault import Fault, Rule
from contracts.text import half_width

EARLIEST_YEAR = 1900
LATEST_YEAR = 2199
CHINA = timezone(timedelta(hours=8))
"""Instants (epoch, explicit UTC offset) are read as the day in China that they fall on."""


class DateFormat(StrEnum):
    """A declared way of writing a date; every written form may be followed by a time of day."""

    ISO = "%Y-%m-%d"
    SLASH = "%Y/%m/%d"
    DOT = "%Y.%m.%d"
    COMPACT = "%Y%m%d"
    CHINESE = "%Y年%m月%d日"
    US = "%m/%d/%Y"
    DAY_FIRST = "%d/%m/%Y"
    EXCEL = "excel"
    """Days since 1899-12-30, as spreadsheets store dates (1900 system)."""
    EPOCH_MS = "epoch-ms"
    """Milliseconds since 1970-01-01 UTC."""

    @property
    def shown(self) -> str:
        """The format as people write it: ``YYYY-MM-DD``."""
        return self.value.replace("%Y", "YYYY").replace("%m", "MM").replace("%d", "DD")


UNAMBIGUOUS = (DateFormat.ISO, DateFormat.SLASH, DateFormat.COMPACT, DateFormat.CHINESE, DateFormat.DOT)


class LongTerm(Enum):
    """Marker type of ``LONG_TERM``."""

    MARKER = "长期"


LONG_TERM: Final = LongTerm.MARKER
"""长期: valid without an end."""

ParsedDate = date | LongTerm
DateValue = str | int | float | date

FORMAT_RULE = Rule(
    code="date.format",
    en="this is not a date in an accepted format ({formats})",
    zh="日期格式不符合要求（可接受：{formats}）",
    remedy_en="write the date in one of the accepted formats, or declare the format in the interface",
    remedy_zh="请按可接受的格式书写日期，或在接口声明中增加该格式",
)
EXISTENCE_RULE = Rule(
    code="date.does-not-exist",
    en="this date or time of day does not exist (accepted formats: {formats})",
    zh="该日期或时间不存在（可接受的格式：{formats}）",
    remedy_en="compare the date with the licence",
    remedy_zh="请与证照核对日期",
)
RANGE_RULE = Rule(
    code="date.out-of-range",
    en="the year must lie between {earliest} and {latest}",
    zh="年份应在{earliest}至{latest}之间",
    remedy_en="compare the date with the licence; write 长期 (or 2099/12/31) for no end",
    remedy_zh="请与证照核对日期；长期有效请填“长期”（或2099/12/31）",
)
RULES = (FORMAT_RULE, EXISTENCE_RULE, RANGE_RULE)

LONG_TERM_DATES = frozenset({date(2099, 12, 31), date(9999, 12, 31)})
"""Days that departments write for 长期."""
_LONG_TERM_TEXTS = frozenset(
    {"长期", "长期有效", "长期有效期", "永久", "永久有效", "永久性", "无固定期限", "无期限", "无限期"}
    | {"LONG TERM", "LONG-TERM", "PERMANENT", "99991231", "20991231"}
)
_TIME = (
    r"(?:[ T]\s*(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?"
    r"(?:\s?(?P<half>[AaPp])[Mm])?\s?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_PARTS = {"%Y": r"(?P<year>[0-9]{4})", "%m": r"\s?(?P<month>[0-9]{1,2})", "%d": r"\s?(?P<day>[0-9]{1,2})"}


_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]+)?").fullmatch
_EXCEL_EPOCH = date(1899, 12, 30)
_EXCEL_PHANTOM_DAY = 60
"""1900-02-29, a day spreadsheets count and the calendar does not; serials before it are one day off."""
_EXCEL_LAST = 2_958_465
"""9999-12-31; larger numbers are no spreadsheet dates, so that 20210501 is left to the compact format."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_LEAST = 10**8
"""Smaller numbers (within about a day of 1970) are an unset field or digits of another format."""

Reader = Callable[[str], date | None]
"""Reads a text in one format: None when it is not written so; raises ValueError when it is and no such day exists."""


def parse_date(value: DateValue, formats: tuple[DateFormat, ...] = ()) -> ParsedDate | None:
    """The day (or ``LONG_TERM``) that ``value`` states, or None; ``date_fault`` then says why.

    ``date`` and ``datetime`` objects are taken as they are; numbers are read as their digits.
    """
    if isinstance(value, str) and len(value) == 10 and value[4] == "-" == value[7]:
        try:
            return _judged(date.fromisoformat(value))
        except ValueError:
            return None
    try:
        day = _read(value, formats)
    except (ValueError, OverflowError):
        return None
    return _judged(day) if isinstance(day, date) else day


def date_fault(value: DateValue, formats: tuple[DateFormat, ...] = (), pointer: str = "") -> Fault | None:
    """Why ``parse_date`` gives None for ``value``, or None when it does not."""
    if parse_date(value, formats) is not None:
        return None
    accepted = ", ".join(form.shown for form in _in_order(formats))
    try:
        day = _read(value, formats)
    except (ValueError, OverflowError):
        return EXISTENCE_RULE.at(pointer, value, formats=accepted)
    if day is None:
        return FORMAT_RULE.at(pointer, value, formats=accepted)
    return RANGE_RULE.at(pointer, value, earliest=EARLIEST_YEAR, latest=LATEST_YEAR)


def _judged(day: date) -> ParsedDate | None:
    if day in LONG_TERM_DATES:
        return LONG_TERM
    return day if EARLIEST_YEAR <= day.year <= LATEST_YEAR else None


def _read(value: DateValue, formats: tuple[DateFormat, ...]) -> ParsedDate | None:
    """The day in the first format that ``value`` is written in; ValueError when it is and no such day exists."""
    if isinstance(value, date):
        return _china_day(value) if isinstance(value, datetime) else value
    text = half_width(value).strip() if isinstance(value, str) else f"{value:.15g}"
    if text.upper() in _LONG_TERM_TEXTS:
        return LONG_TERM
    return next((day for read in _readers(formats) if (day := read(text)) is not None), None)


@lru_cache
def _readers(formats: tuple[DateFormat, ...]) -> tuple[Reader, ...]:
    return tuple(_reader(form) for form in _in_order(formats))


def _in_order(formats: tuple[DateFormat, ...]) -> tuple[DateFormat, ...]:
    """The declared formats, then the unambiguous ones that were not declared."""
    return (*formats, *(form for form in UNAMBIGUOUS if form not in formats))


def _reader(form: DateFormat) -> Reader:
    if form is DateFormat.EXCEL:
        return _read_excel
    if form is DateFormat.EPOCH_MS:
        return _read_epoch_ms
    return _written_reader(_pattern(form))


def _pattern(form: DateFormat) -> re.Pattern[str]:
    text = re.escape(form.value).replace("年", r"\s?年").replace("月", r"\s?月").replace("日", r"\s?日")
    for directive, part in _PARTS.items():
        text = text.replace(directive, part)
    if form is DateFormat.COMPACT:
        text = r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    return re.compile(text + _TIME)


def _written_reader(pattern: re.Pattern[str]) -> Reader:
    match_whole = pattern.fullmatch

    def read(text: str) -> date | None:
        match = match_whole(text)
        if match is None:
            return None
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        return day if match["hour"] is None else _day_with_time(day, match)

    return read


def _day_with_time(day: date, match: re.Match[str]) -> date:
    """The day that a day and time of day fall on in China; ValueError when the time does not exist."""
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour on a twelve-hour clock")
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    moment = datetime(
        day.year, day.month, day.day, hour, int(match["minute"]), int(match["second"] or 0), tzinfo=CHINA
    )
    zone = match["zone"]
    return day if zone is None else _china_day(moment.replace(tzinfo=zone_of(zone)))


def zone_of(text: str) -> timezone:
    """The zone that ``Z``, ``+08:00`` or ``+0800`` names (ISO 8601, 4.3.13)."""
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _china_day(moment: datetime) -> date:
    """The day of ``moment`` in China; a moment without a zone is taken as it stands."""
    return (moment.astimezone(CHINA) if moment.tzinfo else moment).date()


def _read_excel(text: str) -> date | None:
    if not _NUMBER(text):
        return None
    serial = int(text.partition(".")[0])
    if not 1 <= serial <= _EXCEL_LAST:
        return None
    if serial == _EXCEL_PHANTOM_DAY:
        raise ValueError("1900-02-29 does not exist")
    return _EXCEL_EPOCH + timedelta(days=serial if serial > _EXCEL_PHANTOM_DAY else serial + 1)


def _read_epoch_ms(text: str) -> date | None:
    if not _NUMBER(text):
        return None
    milliseconds = int(text.partition(".")[0])
    if abs(milliseconds) < _EPOCH_LEAST:
        return None
    return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(CHINA).date()
