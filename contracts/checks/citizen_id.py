"""公民身份号码, the citizen identity number (GB 11643-1999): division, birth date, order, check digit modulo 11.

The division is judged by its province only: a division that was withdrawn stays in the numbers given out under it.
"""

import re
from datetime import date
from operator import mul

from contracts.codes.division import PROVINCES
from contracts.fault import Disposition, Fault, Rule

LENGTH_RULE = Rule(
    code="citizen-id.length",
    en="a citizen identity number has 18 characters, this one has {length}",
    zh="公民身份号码应为18位，实际为{length}位",
    remedy_en="send the complete 18-character number; a 15-digit one is brought to 18 by the hub",
    remedy_zh="请提供完整的18位号码；15位旧号码由系统升位",
    personal=True,
)
ALPHABET_RULE = Rule(
    code="citizen-id.alphabet",
    en="a citizen identity number is 17 digits and a check digit (0-9 or X)",
    zh="公民身份号码应为17位数字加1位校验码（0-9或X）",
    remedy_en="compare the number with the identity card",
    remedy_zh="请与身份证核对号码",
    personal=True,
)
BIRTH_DATE_RULE = Rule(
    code="citizen-id.birth-date",
    en="characters 7 to 14 are not a date that exists",
    zh="第7至14位不是真实存在的日期",
    remedy_en="compare the number with the identity card",
    remedy_zh="请与身份证核对号码",
    personal=True,
)
CHECK_DIGIT_RULE = Rule(
    code="citizen-id.check-digit",
    en="the check digit does not fit the other characters",
    zh="校验码与其余各位不符",
    remedy_en="compare the number with the identity card; do not just replace the check digit",
    remedy_zh="请与身份证核对号码，不要只改校验码",
    personal=True,
)
DIVISION_RULE = Rule(
    code="citizen-id.division",
    en="the number begins with a division that no province has",
    zh="号码开头的行政区划不属于任何省份",
    remedy_en="compare the number with the identity card",
    remedy_zh="请与身份证核对号码",
    disposition=Disposition.QUARANTINE,
    personal=True,
)
RULES = (LENGTH_RULE, ALPHABET_RULE, BIRTH_DATE_RULE, CHECK_DIGIT_RULE, DIVISION_RULE)

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_SHAPE = re.compile(r"[0-9]{17}[0-9X]").fullmatch
_BODY = re.compile(r"[0-9]{17}").fullmatch
_OLD_SHAPE = re.compile(r"[0-9]{15}").fullmatch
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_EARLIEST_BIRTH_YEAR = 1900
_REGIONS = frozenset(PROVINCES) | {"83", "90", "91", "92", "93", "94", "95"}
"""Provinces, 83 for the residence permits of Taiwan people, 9x for the residence cards of foreigners since 2023."""


def check_character(body: str) -> str:
    """The check character of the first 17 digits; raises ValueError on anything else."""
    if not _BODY(body):
        raise ValueError("the body must be 17 digits")
    return _CHECKS[sum(map(mul, _WEIGHTS, body.encode("ascii").translate(_VALUES))) % 11]


def is_valid(text: str) -> bool:
    """Whether ``text`` has 18 characters, a real birth date, the right check digit and a plausible province."""
    return (
        _SHAPE(text) is not None
        and check_character(text[:17]) == text[17]
        and birth_date(text) is not None
        and text[:2] in _REGIONS
    )


def upgrade(text: str) -> str:
    """The 18-character number of a 15-digit one (born 1900-1999); raises ValueError on anything else."""
    if not _OLD_SHAPE(text):
        raise ValueError("only a 15-digit number can be upgraded")
    body = text[:6] + "19" + text[6:]
    return body + check_character(body)


def birth_date(text: str) -> date | None:
    """The birth date in an 18-character number, or None when no such day exists."""
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None


def is_likely(text: str) -> bool:
    """Whether ``text`` has the shape of such a number, mistyped or not: reason enough to treat it as personal."""
    day = birth_date(text) if _SHAPE(text) else None
    return day is not None and day.year >= _EARLIEST_BIRTH_YEAR


def fault(text: str, pointer: str = "") -> Fault | None:
    """What is wrong with ``text``, or None; the value seen is masked."""
    if is_valid(text):
        return None
    if len(text) != 18:
        return LENGTH_RULE.at(pointer, text, length=len(text))
    return _broken_rule(text).at(pointer, text)


def _broken_rule(text: str) -> Rule:
    if not _SHAPE(text):
        return ALPHABET_RULE
    if birth_date(text) is None:
        return BIRTH_DATE_RULE
    return CHECK_DIGIT_RULE if check_character(text[:17]) != text[17] else DIVISION_RULE
