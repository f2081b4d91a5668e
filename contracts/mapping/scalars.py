"""Single values out of decoded fields: texts, numbers, flags, moments, and the text each sorts by."""

import re
import unicodedata
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from contracts.dates import CHINA, DateFormat, ParsedDate, parse_date, zone_of
from contracts.text import half_width

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}|[0-9]{1,3}(?:,[0-9]{3}){1,12})(?:\.[0-9]{1,40})?").fullmatch
_FLAGS = {
    **dict.fromkeys(("true", "1", "y", "yes", "是", "有"), True),
    **dict.fromkeys(("false", "0", "n", "no", "否", "无"), False),
}
_MOMENT = re.compile(
    r"(?P<day>.+?)(?:(?:[ T]\s*|(?<=日))(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,6})[0-9]*)?)?(?:\s?(?P<half>[AaPp])[Mm])?\s?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
).fullmatch
_COMPACT_MOMENT = re.compile(r"([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})").fullmatch
_EPOCH_MS = re.compile(r"[0-9]{9,15}").fullmatch
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_EXACT_INTEGERS = 1e15

ORDER_SEPARATOR = "\t"
"""Between the parts of an order text: lower than every character a part may hold, so that a shorter part sorts first."""


def as_text(value: object) -> str | None:
    """The text of a single value (tolerant reader): digits of a number, empty for none; None for a flag, list or object."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT_INTEGERS else repr(value)
    return None


def number_of(text: str) -> Decimal | None:
    """The number a text states; thousands commas and full-width digits are read, exponents and NaN are not."""
    match = _NUMBER(half_width(text))
    return Decimal(match.group().replace(",", "")) if match else None


def plain_number(number: Decimal) -> int | float:
    """The number as JSON carries it."""
    return int(number) if number == number.to_integral_value() else float(number)


def flag_of(text: str) -> bool | None:
    """Yes or no in the ways departments write it."""
    return _FLAGS.get(text.casefold())


@lru_cache(maxsize=8192)
def day_of(text: str, formats: tuple[DateFormat, ...]) -> ParsedDate | None:
    """``parse_date`` remembered: the rows of a file share their days."""
    return parse_date(text, formats)


@lru_cache(maxsize=8192)
def moment_of(text: str, formats: tuple[DateFormat, ...]) -> str | None:
    """ISO 8601 date and time of day in China, with microseconds, or None when there is no such moment.

    A text without an offset is taken as it stands; one without a time of day is the start of its day.
    """
    text = half_width(text).strip()
    if DateFormat.EPOCH_MS in formats and _EPOCH_MS(text):
        return _iso(datetime.fromtimestamp(int(text) / 1000, CHINA))
    compact = _COMPACT_MOMENT(text)
    if compact:
        text = f"{compact[1]} {compact[2]}:{compact[3]}:{compact[4]}"
    match = _MOMENT(text)
    try:
        return _moment(match, formats) if match else None
    except (ValueError, OverflowError):
        return None


def number_order(number: Decimal) -> str:
    """Text that sorts as the number does: sign, count of integer digits, digits; negative ones complemented."""
    whole, _, fraction = format(abs(number), "f").partition(".")
    whole = whole.lstrip("0")
    magnitude = f"{len(whole):02d}{whole}.{fraction.rstrip('0')}"
    return "1" + magnitude if number >= 0 else "0" + magnitude.translate(_COMPLEMENT) + "~"


def text_order(text: str) -> str:
    """NFC of the text with its white space folded to single spaces."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _moment(match: re.Match[str], formats: tuple[DateFormat, ...]) -> str | None:
    day = day_of(match["day"], formats)
    if not isinstance(day, date):
        return None
    clock = time(_hour(match), int(match["minute"] or 0), int(match["second"] or 0), _microseconds(match))
    zone = match["zone"]
    return _iso(datetime.combine(day, clock, tzinfo=zone_of(zone) if zone else CHINA))


def _hour(match: re.Match[str]) -> int:
    hour = int(match["hour"] or 0)
    if not match["half"]:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no such hour on a twelve-hour clock")
    return hour % 12 + (12 if match["half"] in "Pp" else 0)


def _microseconds(match: re.Match[str]) -> int:
    return int((match["fraction"] or "0").ljust(6, "0"))


def _iso(moment: datetime) -> str:
    return moment.astimezone(CHINA).replace(tzinfo=None).isoformat(timespec="microseconds")
