"""统一社会信用代码, the unified social credit code (GB 32100-2015): 17 characters and one check character modulo 31."""

import re
from operator import mul

from contracts.fault import Fault, Rule

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: digits and capital letters without I, O, S, V, Z."""

PLACEHOLDER = "0" * 17 + "X"
"""Agreed stand-in for a sole trader that has no code; it is no valid code, and the registration number is then required."""

LENGTH_RULE = Rule(
    code="uscc.length",
    en="a unified social credit code has 18 characters, this one has {length}",
    zh="统一社会信用代码应为18位，实际为{length}位",
    remedy_en="send the complete 18-character code",
    remedy_zh="请提供完整的18位代码",
)
ALPHABET_RULE = Rule(
    code="uscc.alphabet",
    en="character {position} ({character}) does not occur in unified social credit codes",
    zh="第{position}位字符（{character}）不是统一社会信用代码使用的字符",
    remedy_en="use digits and capital letters without I, O, S, V, Z (1 for I, 0 for O, 5 for S, 2 for Z)",
    remedy_zh="请使用数字和大写字母（不含I、O、S、V、Z），注意1与I、0与O、5与S、2与Z的区别",
)
DIVISION_RULE = Rule(
    code="uscc.division",
    en="characters 3 to 8 must be the six digits of an administrative division",
    zh="第3至8位应为6位行政区划数字",
    remedy_en="compare the code with the registration certificate",
    remedy_zh="请与登记证书核对该代码",
)
CHECK_DIGIT_RULE = Rule(
    code="uscc.check-digit",
    en="the check digit should be {expected}",
    zh="校验码应为{expected}",
    remedy_en="compare the code with the registration certificate; do not just replace the check digit",
    remedy_zh="请与登记证书核对该代码，不要只改校验码",
)
PLACEHOLDER_RULE = Rule(
    code="uscc.placeholder",
    en="this is the placeholder for sole traders, not a unified social credit code",
    zh="该值是个体工商户的占位代码，不是统一社会信用代码",
    remedy_en="send the holder's own code; only a sole trader with a registration number may use the placeholder",
    remedy_zh="请提供主体自身的代码；仅有工商注册号的个体工商户可以使用占位代码",
)
RULES = (LENGTH_RULE, ALPHABET_RULE, DIVISION_RULE, CHECK_DIGIT_RULE, PLACEHOLDER_RULE)

_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_CLOSED_WEIGHTS = (*_WEIGHTS, 1)
_VALUES = bytes.maketrans(ALPHABET.encode(), bytes(range(31)))
_FOREIGN = re.compile(r"[^0-9A-HJ-NPQRTUWXY]").search
_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}").fullmatch


def check_character(body: str) -> str:
    """The check character of the first 17; raises ValueError on another length or alphabet."""
    if len(body) != 17 or _FOREIGN(body):
        raise ValueError("the body must be 17 characters of the GB 32100 alphabet")
    return ALPHABET[-_weighted(body) % 31]


def is_valid(text: str) -> bool:
    """Whether ``text`` has the structure of GB 32100 and the right check character; False for the placeholder."""
    return (
        _SHAPE(text) is not None
        and sum(map(mul, _CLOSED_WEIGHTS, text.encode("ascii").translate(_VALUES))) % 31 == 0
    )


def is_placeholder(text: str) -> bool:
    """Whether ``text`` is the agreed placeholder."""
    return text == PLACEHOLDER


def fault(text: str, pointer: str = "") -> Fault | None:
    """What is wrong with ``text``, or None."""
    if is_valid(text):
        return None
    if is_placeholder(text):
        return PLACEHOLDER_RULE.at(pointer, text)
    if len(text) != 18:
        return LENGTH_RULE.at(pointer, text, length=len(text))
    if foreign := _FOREIGN(text):
        return ALPHABET_RULE.at(pointer, text, position=foreign.start() + 1, character=foreign.group())
    if not _SHAPE(text):
        return DIVISION_RULE.at(pointer, text)
    return CHECK_DIGIT_RULE.at(pointer, text, expected=check_character(text[:17]))


def _weighted(body: str) -> int:
    return sum(map(mul, _WEIGHTS, body.encode("ascii").translate(_VALUES)))
