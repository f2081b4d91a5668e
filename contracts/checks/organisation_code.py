"""组织机构代码, the organisation code (GB 11714): 8 characters and one check character modulo 11.

Letters are worth up to 35 and the modulus is 11, so the scheme guarantees to catch a changed digit, not every changed letter.
"""

import re
from operator import mul

from contracts.fault import Fault, Rule

SHAPE_RULE = Rule(
    code="organisation-code.shape",
    en="an organisation code is 8 digits or capital letters and a check digit (0-9 or X)",
    zh="组织机构代码应为8位数字或大写字母加1位校验码（0-9或X）",
    remedy_en="send the nine characters without the hyphen",
    remedy_zh="请提供不含连字符的9位代码",
)
CHECK_DIGIT_RULE = Rule(
    code="organisation-code.check-digit",
    en="the check digit should be {expected}",
    zh="校验码应为{expected}",
    remedy_en="compare the code with the organisation code certificate",
    remedy_zh="请与组织机构代码证核对",
)
RULES = (SHAPE_RULE, CHECK_DIGIT_RULE)

_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_SHAPE = re.compile(r"[0-9A-Z]{8}[0-9X]").fullmatch
_BODY = re.compile(r"[0-9A-Z]{8}").fullmatch


def check_character(body: str) -> str:
    """The check character of the first 8; raises ValueError on another length or alphabet."""
    if not _BODY(body):
        raise ValueError("the body must be 8 characters of 0-9 and A-Z")
    total = sum(map(mul, _WEIGHTS, (int(character, 36) for character in body)))
    return "0123456789X"[-total % 11]


def is_valid(text: str) -> bool:
    """Whether ``text`` is nine characters closed by the right check character."""
    return _SHAPE(text) is not None and check_character(text[:8]) == text[8]


def fault(text: str, pointer: str = "") -> Fault | None:
    """What is wrong with ``text``, or None."""
    if not _SHAPE(text):
        return SHAPE_RULE.at(pointer, text)
    expected = check_character(text[:8])
    return None if expected == text[8] else CHECK_DIGIT_RULE.at(pointer, text, expected=expected)
